import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { assembleElf, compressionHeader } from '../testing/assemble-elf.js';
import { assembleObject } from '../testing/assemble-object.js';
import { readErrorOf } from '../testing/read-error-of.js';
import { Kind } from '../types.js';
import { isBpfObject, parseBpfObject } from './bpf-object.js';

const MACHINE = 18;
const FILE_TYPE = 16;

const BTF = new BtfAssembler('little').type(Kind.FWD, 'f').bytes();

/** An object file with a 16-bit field of its ELF header replaced. */
function withField(at: number, value: number): Uint8Array {
  const file = assembleObject('little', BTF, {});
  new DataView(file.buffer).setUint16(at, value, true);
  return file;
}

test('an object file has its BTF and its symbols', () => {
  const file = readFileSync(new URL('testdata/externs.bpf.o', import.meta.url));
  expect(isBpfObject(file)).toBe(true);
  const { spec, symbols } = parseBpfObject(file);
  expect(spec.typeCount).toBe(69);
  // As llvm-readelf shows them.
  expect(symbols).toContainEqual({
    name: 'hidden_sum',
    type: 2,
    binding: 1,
    visibility: 2,
    section: 2,
    value: 56,
    size: 56,
  });
  expect(symbols).toContainEqual({
    name: 'bpf_absent',
    type: 0,
    binding: 2,
    visibility: 0,
    section: 0,
    value: 0,
    size: 0,
  });
});

test('an object of an old compiler, which left the machine at 0, is one', () => {
  const file = withField(MACHINE, 0);
  expect(isBpfObject(file)).toBe(true);
  expect(parseBpfObject(file).spec.typeCount).toBe(1);
});

test.each([
  ['an object of another machine', withField(MACHINE, 62), '64-bit ELF file of type 1 for machine 62'],
  ['an executable', withField(FILE_TYPE, 2), '64-bit ELF file of type 2 for machine 247'],
  ['an object of 32 bits', assembleElf(32, 'little', []), '32-bit ELF file of type 1 for machine 247'],
])('%s is not one', (_, file, message) => {
  expect(isBpfObject(file)).toBe(false);
  expect(readErrorOf(() => parseBpfObject(file))).toMatchObject({
    code: 'UNSUPPORTED',
    message: `${message} is not an object file of BPF programs`,
  });
});

test('bytes that are not an ELF file are not one', () => {
  expect(isBpfObject(new Uint8Array(0))).toBe(false);
  expect(isBpfObject(BTF)).toBe(false);
  expect(isBpfObject(assembleObject('little', BTF, {}).subarray(0, 63))).toBe(false);
  expect(readErrorOf(() => parseBpfObject(BTF))).toMatchObject({ code: 'MALFORMED' });
});

describe('an object is rejected', () => {
  test('without BTF', () => {
    expect(readErrorOf(() => parseBpfObject(assembleElf(64, 'little', [])))).toMatchObject({
      code: 'NO_BTF',
      message: 'BPF object has no section .BTF: compile it with -g',
    });
  });

  test('with compressed BTF', () => {
    const bytes = compressionHeader(64, 'little', 1, 100);
    const file = assembleElf(64, 'little', [{ name: '.BTF', bytes, flags: 0x800 }]);
    expect(readErrorOf(() => parseBpfObject(file))).toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('use objcopy --decompress-debug-sections'),
    });
  });

  test('with BTF larger than a limit', () => {
    const file = assembleObject('little', BTF, {});
    expect(readErrorOf(() => parseBpfObject(file, { limits: { types: 0 } })).code).toBe('LIMIT_EXCEEDED');
  });

  test('with too many sections', () => {
    const sections = Array.from({ length: 4096 }, () => ({ name: '', bytes: new Uint8Array(0) }));
    const error = readErrorOf(() => parseBpfObject(assembleObject('little', BTF, { sections })));
    expect(error.message).toBe('BPF object has 4101 sections: the limit is 4096');
  });

  test('with too many symbols', () => {
    const table = { bytes: new Uint8Array(65_537 * 24) };
    const error = readErrorOf(() => parseBpfObject(assembleObject('little', BTF, { table })));
    expect(error.message).toBe('BPF object has more than 65536 symbols: the limit is 65536');
  });

  test('with symbol tables that overlap', () => {
    const symbols = { name: '', bytes: new Uint8Array(0), type: 2, offset: 0, size: 3000, link: 1 };
    const sections = Array.from({ length: 1000 }, () => symbols);
    const error = readErrorOf(() => parseBpfObject(assembleObject('little', BTF, { sections })));
    expect(error.message).toMatch(/^symbol tables overlap/);
  });
});
