import { deflateSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { BtfFormatError, BtfReadError } from '../format-error.js';
import { Spec } from '../spec.js';
import { assembleAllKinds } from '../testing/all-kinds.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { assembleElf, compressionHeader, type SectionWords } from '../testing/assemble-elf.js';
import { Kind } from '../types.js';
import { inflateElfBtf, parseElfBtf, readElfBtf } from './elf-btf.js';
import { ElfFile } from './elf-file.js';

const KINDS_OF_ELF = [
  [32, 'little'],
  [32, 'big'],
  [64, 'little'],
  [64, 'big'],
] as const;

const TEXT: SectionWords = { name: '.text', bytes: new Uint8Array(5) };
const SHF_COMPRESSED = 0x800;

function joined(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** The error that reading throws. */
function failure(read: () => unknown): { code: string; message: string } {
  try {
    read();
  } catch (error) {
    if (error instanceof BtfReadError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe.each(KINDS_OF_ELF)('an ELF file of %i bits, %s-endian', (bits, order) => {
  const btf = assembleAllKinds(order).bytes();
  const section: SectionWords = { name: '.BTF', bytes: btf };
  const compressed = (bytes: Uint8Array, claimed = btf.length, format = 1): SectionWords => ({
    name: '.BTF',
    bytes: joined(compressionHeader(bits, order, format, claimed), bytes),
    flags: SHF_COMPRESSED,
  });

  test('has its BTF and the size of its pointers', () => {
    const file = assembleElf(bits, order, [TEXT, { name: '.BTF.ext', bytes: new Uint8Array(3) }, section]);
    expect(readElfBtf(file)).toEqual({ btf, distilledBase: null, pointerSize: bits / 8 });
    const elf = ElfFile.parse(file);
    expect([elf.byteOrder, elf.sectionCount]).toEqual([order, 5]);
    expect(parseElfBtf(file).typeCount).toBe(29);
  });

  test('has its distilled base', () => {
    const base = assembleAllKinds(order).bytes();
    const file = assembleElf(bits, order, [section, { name: '.BTF.base', bytes: base }]);
    expect(readElfBtf(file)).toEqual({ btf, distilledBase: base, pointerSize: bits / 8 });
  });

  test('may have its counts in section 0', () => {
    const file = assembleElf(bits, order, [TEXT, section], { extended: true });
    expect(readElfBtf(file).btf).toEqual(btf);
  });

  test('may have more sections than 16 bits count', () => {
    const many = globalThis.Array.from({ length: 70_000 }, () => ({ name: '', bytes: new Uint8Array(0) }));
    const file = assembleElf(bits, order, [...many, section], { extended: true });
    expect(ElfFile.parse(file).sectionCount).toBe(70_003);
    expect(readElfBtf(file).btf).toEqual(btf);
  });

  test('may lie anywhere in a buffer', () => {
    const file = assembleElf(bits, order, [section]);
    const shifted = joined(new Uint8Array(3), file, new Uint8Array(2)).subarray(3, 3 + file.length);
    expect(readElfBtf(shifted).btf).toEqual(btf);
  });

  test('is read into copies, so that the file may change', () => {
    const file = assembleElf(bits, order, [section]);
    const read = readElfBtf(file).btf;
    const readOfBuffer = readElfBtf(Buffer.from(file.buffer)).btf;
    file.fill(0);
    expect(read).toEqual(btf);
    expect(readOfBuffer).toEqual(btf);
  });

  test('has its compressed BTF inflated by inflateElfBtf, but rejected by readElfBtf', async () => {
    const file = assembleElf(bits, order, [TEXT, compressed(deflateSync(btf))]);
    expect(failure(() => readElfBtf(file))).toMatchObject({ code: 'UNSUPPORTED' });
    expect(await inflateElfBtf(file)).toEqual({ btf, distilledBase: null, pointerSize: bits / 8 });
    const plain = assembleElf(bits, order, [section]);
    expect(await inflateElfBtf(plain)).toEqual(readElfBtf(plain));
  });

  test.each<[string, string, SectionWords]>([
    ['zstd', 'UNSUPPORTED', compressed(btf, btf.length, 2)],
    ['an unknown format', 'UNSUPPORTED', compressed(btf, btf.length, 3)],
    ['no zlib stream', 'MALFORMED', compressed(btf)],
    ['a cut stream', 'MALFORMED', compressed(deflateSync(btf).subarray(0, -5))],
    ['more than its header says', 'MALFORMED', compressed(deflateSync(btf), btf.length - 1)],
    ['less than its header says', 'MALFORMED', compressed(deflateSync(btf), btf.length + 1)],
    ['more than the limit', 'LIMIT_EXCEEDED', compressed(deflateSync(new Uint8Array(5000)), 5000)],
    ['no header', 'MALFORMED', { name: '.BTF', bytes: new Uint8Array(11), flags: SHF_COMPRESSED }],
  ])('rejects compressed BTF with %s', async (_, code, bad) => {
    const file = assembleElf(bits, order, [bad]);
    await expect(inflateElfBtf(file, { bytes: 4000 })).rejects.toMatchObject({ code });
    await expect(inflateElfBtf(file, { bytes: 4000 })).rejects.toBeInstanceOf(BtfFormatError);
  });

  test.each<[string, string, SectionWords[]]>([
    ['no BTF', 'ELF file has no section .BTF', [TEXT]],
    ['no sections but their names', 'ELF file has no section .BTF', []],
    ['BTF twice', 'ELF file has several sections .BTF', [section, section]],
    ['BTF without bytes', 'section .BTF has type 8, not PROGBITS', [{ ...section, type: 8 }]],
    ['BTF after its end', 'section .BTF ends after the end', [{ ...section, offset: 0xffffffff }]],
    ['BTF too long', 'section .BTF ends after the end', [{ ...section, size: 0xffffffff }]],
    ['a name that only begins so', 'ELF file has no section .BTF', [{ ...section, name: '.BTFs' }]],
  ])('with %s is rejected', (_, message, sections) => {
    const file = assembleElf(bits, order, sections);
    expect(failure(() => readElfBtf(file)).message).toContain(message);
  });

  test('is not searched for names after the end of its section of names', () => {
    const file = assembleElf(bits, order, [section]);
    const sizeOfNames = file.length - 2 * (bits === 64 ? 64 : 40) + (bits === 64 ? 32 : 20);
    const view = new DataView(file.buffer);
    const low = order === 'big' && bits === 64 ? sizeOfNames + 4 : sizeOfNames;
    view.setUint32(low, view.getUint32(low, order === 'little') - 1, order === 'little');
    expect(failure(() => readElfBtf(file)).message).toBe('ELF file has no section .BTF');
  });

  test('cut anywhere, or with a hostile word anywhere in its headers, ends in a value or a BtfFormatError', () => {
    const file = assembleElf(bits, order, [TEXT, section], { extended: true });
    const outcomes = new Set<string>();
    const attempt = (bytes: Uint8Array) => {
      try {
        outcomes.add(readElfBtf(bytes).btf.length === btf.length ? 'VALUE' : 'OTHER VALUE');
      } catch (error) {
        if (!(error instanceof BtfReadError)) throw error;
        outcomes.add(error.message.replaceAll(/\d+/g, 'N'));
      }
    };
    for (let length = 0; length < file.length; length++) attempt(file.subarray(0, length));
    const table = file.length - 4 * (bits === 64 ? 64 : 40);
    for (let at = 0; at < file.length; at += at === 64 ? table - 64 : 2) {
      for (const hostile of [0, 1, 0x7fff_ffff, 0xffff_ffff]) {
        const mutant = joined(file, new Uint8Array(4));
        new DataView(mutant.buffer).setUint32(at, hostile, order === 'little');
        attempt(mutant);
      }
    }
    expect([...outcomes]).toEqual(
      expect.arrayContaining([
        'VALUE',
        'not an ELF file (offset N)',
        expect.stringContaining('is shorter than its header'),
        expect.stringContaining('unknown ELF byte order'),
        expect.stringContaining('unknown ELF version'),
        expect.stringContaining('section headers of'),
        expect.stringContaining('section names are in section'),
        expect.stringContaining('section of section names ends after'),
        expect.stringContaining('section .BTF ends after'),
        'ELF file has no section .BTF',
      ]),
    );
  });
});

test('an ELF file without a table of sections has no BTF', () => {
  const file = assembleElf(64, 'little', []).slice(0, 64);
  new DataView(file.buffer).setBigUint64(40, 0n, true);
  expect(failure(() => readElfBtf(file)).code).toBe('NO_BTF');
});

test('split BTF in an ELF file continues the given base', () => {
  const baseBtf = assembleAllKinds('little');
  const base = Spec.parse(baseBtf.bytes());
  const split = new BtfAssembler('little', baseBtf.stringEnd).type(Kind.PTR, 0, { sizeOrTypeId: 6 });
  const named = split.type(Kind.TYPEDEF, 'own', { sizeOrTypeId: 30 });
  const file = assembleElf(64, 'little', [{ name: '.BTF', bytes: named.bytes() }]);
  expect(failure(() => parseElfBtf(file)).code).toBe('MISSING_BASE');
  expect([...parseElfBtf(file, { base })].map(({ id, name }) => [id, name])).toEqual([
    [30, ''],
    [31, 'own'],
  ]);
});
