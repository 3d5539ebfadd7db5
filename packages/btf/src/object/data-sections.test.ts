import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { BtfFormatError } from '../format-error.js';
import type { ByteOrder } from '../header.js';
import { datasecVars } from '../query/datasec-vars.js';
import { Spec } from '../spec.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { assembleElf, type SectionWords, symbolTable } from '../testing/assemble-elf.js';
import { linkObjects } from '../testing/bpftool.js';
import { type Datasec, Kind } from '../types.js';
import { completeDatasecs } from './complete-datasecs.js';
import { readElfBtf } from './elf-btf.js';

const OBJECTS = fileURLToPath(new URL('../build/dedup/testdata/', import.meta.url));

const SHT_SYMTAB = 2;
const SHT_STRTAB = 3;
const SHT_NOBITS = 8;

/** Variables `first` and `second` of `.data`, one of `.bss` that has a size, one of a section that is not in the file. */
function assembleBtf(order: ByteOrder): Uint8Array {
  const section = (name: string, size: number, ...vars: number[]) =>
    btf.type(Kind.DATASEC, name, {
      vlen: vars.length,
      sizeOrTypeId: size,
      data: vars.flatMap((id) => [id, 0, 4]),
    });
  const btf = new BtfAssembler(order);
  btf.type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [0x01000020] });
  for (const name of ['first', 'second', 'known', 'extern']) {
    btf.type(Kind.VAR, name, { sizeOrTypeId: 1, data: [1] });
  }
  section('.data', 0, 2, 3);
  section('.bss', 40, 4);
  section('.ksyms', 0, 5);
  return btf.bytes();
}

const NAMES = new TextEncoder().encode('\0second\0first\0');

/** The sections have the indices 2, 3, …; `table` changes the header of the symbol table. */
function sectionsOf(
  bits: 32 | 64,
  order: ByteOrder,
  table: Partial<SectionWords> = {},
): readonly SectionWords[] {
  const symbols = [
    { name: 1, section: 3, value: 4 },
    { name: 8, section: 3, value: 8 },
    { name: 8, section: 2, value: 100 },
  ];
  return [
    { name: '.text', bytes: new Uint8Array(8) },
    { name: '.data', bytes: new Uint8Array(0), type: SHT_NOBITS, size: 12 },
    { name: '.bss', bytes: new Uint8Array(0), type: SHT_NOBITS, size: 99 },
    { name: '.symtab', bytes: symbolTable(bits, order, symbols), type: SHT_SYMTAB, link: 6, ...table },
    { name: '.strtab', bytes: NAMES, type: SHT_STRTAB },
  ];
}

function datasecs(btf: Uint8Array): Datasec[] {
  return [...Spec.parse(btf)].filter((type) => type.kind === 'DATASEC');
}

describe.each([
  [32, 'little'],
  [32, 'big'],
  [64, 'little'],
  [64, 'big'],
] as const)('an object file of %i bits, %s-endian', (bits, order) => {
  const btf = assembleBtf(order);
  const sections = sectionsOf(bits, order);

  test('gives sections their size and variables their offset, sorted by it', () => {
    const completed = completeDatasecs(btf, assembleElf(bits, order, sections));
    expect(datasecs(completed)).toMatchObject([
      {
        name: '.data',
        size: 12,
        vars: [
          { typeId: 3, offset: 4, size: 4 },
          { typeId: 2, offset: 8, size: 4 },
        ],
      },
      { name: '.bss', size: 40, vars: [{ typeId: 4, offset: 0 }] },
      { name: '.ksyms', size: 0, vars: [{ typeId: 5, offset: 0 }] },
    ]);
    expect(btf).toEqual(assembleBtf(order));
  });

  test('cut anywhere ends in a value or a BtfFormatError', () => {
    const file = assembleElf(bits, order, sections);
    const messages = new Set<string>();
    for (let length = 0; length < file.length; length++) {
      try {
        completeDatasecs(btf, file.subarray(0, length));
      } catch (error) {
        if (!(error instanceof BtfFormatError)) throw error;
        messages.add(error.message.replaceAll(/\d+/g, 'N'));
      }
    }
    expect(messages).toContain('table of N section headers ends after the end of the ELF file (offset N)');
  });

  test.each<[string, Partial<SectionWords>, string]>([
    ['a symbol table after its end', { offset: 0xffff_0000 }, 'symbol table ends after the end'],
    ['symbol names in no section', { link: 7 }, 'symbol names are in section 7 of 7'],
  ])('with %s is rejected', (_, change, message) => {
    const file = assembleElf(bits, order, sectionsOf(bits, order, change));
    expect(() => completeDatasecs(btf, file)).toThrow(message);
  });
});

test('BTF in which all sections have a size is returned unchanged, whatever the file', () => {
  const btf = new BtfAssembler('little').type(Kind.DATASEC, '.bss', { sizeOrTypeId: 4 }).bytes();
  expect(completeDatasecs(btf, new Uint8Array(0))).toBe(btf);
});

test('a section of variables that do not exist is rejected', () => {
  const btf = new BtfAssembler('little').type(Kind.DATASEC, '.data', { vlen: 1, data: [9, 0, 4] }).bytes();
  const file = assembleElf(64, 'little', sectionsOf(64, 'little'));
  expect(() => completeDatasecs(btf, file)).toThrow('reference to type id 9, which does not exist');
});

needs('bpftool').test.each(['a', 'b', 'c'])(
  'sections of the BPF object %s get the sizes and offsets that libbpf gives them',
  (name) => {
    const path = `${OBJECTS}${name}.bpf.o`;
    const file = new Uint8Array(readFileSync(path));
    const completed = completeDatasecs(readElfBtf(file).btf, file);
    const placed = (btf: Uint8Array) => {
      const spec = Spec.parse(btf);
      return datasecs(btf).map(({ id, name: section, size }) => ({
        section,
        size,
        vars: datasecVars(spec, id).map((variable) => [variable.name, variable.offset, variable.size]),
      }));
    };
    expect(placed(completed)).toEqual(placed(readElfBtf(linkObjects([path])).btf));
    expect(placed(completed)[0]?.size).toBeGreaterThan(0);
  },
);

describe('a hostile object file takes time in proportion to its size', () => {
  const COUNT = 5_000;

  test('with symbol tables that overlap', () => {
    const table = {
      name: '',
      bytes: new Uint8Array(0),
      type: SHT_SYMTAB,
      offset: 0,
      size: COUNT * 64,
      link: 1,
    };
    const sections = [...sectionsOf(64, 'little'), ...Array.from({ length: COUNT }, () => table)];
    expect(() => completeDatasecs(assembleBtf('little'), assembleElf(64, 'little', sections))).toThrow(
      expect.objectContaining({ code: 'MALFORMED', message: expect.stringContaining('overlap') }),
    );
  });

  test('with as many sections as its BTF has data sections', () => {
    const btf = new BtfAssembler('little');
    for (let i = 0; i < COUNT; i++) btf.type(Kind.DATASEC, `none${i}`, {});
    const sections = Array.from({ length: COUNT }, () => ({ name: 'other', bytes: new Uint8Array(0) }));
    const at = performance.now();
    const bytes = btf.bytes();
    expect(completeDatasecs(bytes, assembleElf(64, 'little', sections))).toEqual(bytes);
    expect(performance.now() - at).toBeLessThan(20_000);
  });
});
