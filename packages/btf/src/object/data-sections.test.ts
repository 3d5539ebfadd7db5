import { describe, expect, test } from '@jest/globals';
import { BtfReadError } from '../format-error.js';
import type { ByteOrder } from '../header.js';
import { Spec } from '../spec.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { assembleObject, emptySection, type ObjectContent } from '../testing/assemble-object.js';
import { type Datasec, Kind, VarLinkage } from '../types.js';
import { parseBpfObject } from './bpf-object.js';
import { prepareBtf } from './prepare-btf.js';

const LOCAL_OBJECT = 0x01;
const WEAK_OBJECT = 0x21;
const HIDDEN = 2;

/** Variables `first`, `second` and `local` (static) of `.data`, and one of `.bss` that has a size. */
function assembleBtf(order: ByteOrder): Uint8Array {
  const btf = new BtfAssembler(order);
  const section = (name: string, size: number, ...vars: (readonly [id: number, offset: number])[]) =>
    btf.type(Kind.DATASEC, name, {
      vlen: vars.length,
      sizeOrTypeId: size,
      data: vars.flatMap(([id, offset]) => [id, offset, 4]),
    });
  btf.type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [0x01000020] });
  for (const name of ['first', 'second', 'local', 'known']) {
    const linkage = name === 'local' ? VarLinkage.STATIC : VarLinkage.GLOBAL;
    btf.type(Kind.VAR, name, { sizeOrTypeId: 1, data: [linkage] });
  }
  section('.data', 0, [2, 0], [3, 0], [4, 4]);
  section('.bss', 40, [5, 12]);
  return btf.bytes();
}

const CONTENT: ObjectContent = {
  sections: [
    { name: '.text', bytes: new Uint8Array(8) },
    emptySection('.data', 16),
    emptySection('.bss', 99),
  ],
  symbols: [
    { name: 'first', section: '.data', value: 100, info: LOCAL_OBJECT },
    { name: 'first', section: '.data', value: 8 },
    { name: 'second', section: '.data', value: 0, info: WEAK_OBJECT, other: HIDDEN },
    { name: 'local', section: '.data', value: 12, info: LOCAL_OBJECT, other: HIDDEN },
    { name: 'known', section: '.bss', value: 80, other: HIDDEN },
  ],
};

function prepare(order: ByteOrder, btf: Uint8Array, content: ObjectContent): Spec {
  return Spec.parse(prepareBtf(parseBpfObject(assembleObject(order, btf, content))));
}

function datasecs(spec: Spec): Datasec[] {
  return [...spec].filter((type) => type.kind === 'DATASEC');
}

describe.each(['little', 'big'] as const)('a %s-endian object file', (order) => {
  const btf = assembleBtf(order);

  test('gives sections their size and global variables their offset, sorted by it', () => {
    const spec = prepare(order, btf, CONTENT);
    expect(spec.byteOrder).toBe(order);
    expect(datasecs(spec)).toMatchObject([
      {
        name: '.data',
        size: 16,
        vars: [
          { typeId: 3, offset: 0, size: 4 },
          { typeId: 4, offset: 4, size: 4 },
          { typeId: 2, offset: 8, size: 4 },
        ],
      },
      { name: '.bss', size: 40, vars: [{ typeId: 5, offset: 12 }] },
    ]);
    expect(btf).toEqual(assembleBtf(order));
  });

  test('makes hidden variables static, also where the section has a size', () => {
    const linkages = [...prepare(order, btf, CONTENT)].map((type) => 'linkage' in type && type.linkage);
    expect(linkages.slice(1, 5)).toEqual([
      VarLinkage.GLOBAL,
      VarLinkage.STATIC,
      VarLinkage.STATIC,
      VarLinkage.STATIC,
    ]);
  });

  test('cut anywhere ends in a value or a BtfFormatError', () => {
    const file = assembleObject(order, btf, CONTENT);
    const messages = new Set<string>();
    for (let length = 0; length < file.length; length++) {
      try {
        prepareBtf(parseBpfObject(file.subarray(0, length)));
      } catch (error) {
        if (!(error instanceof BtfReadError)) throw error;
        messages.add(error.message.replaceAll(/\d+/g, 'N'));
      }
    }
    expect(messages).toContain('table of N section headers ends after the end of the ELF file (offset N)');
  });
});

test.each<[string, ObjectContent, string]>([
  [
    'a symbol table after its end',
    { ...CONTENT, table: { offset: 0xffff_0000 } },
    'symbol table ends after the end',
  ],
  ['symbol names in no section', { ...CONTENT, table: { link: 9 } }, 'symbol names are in section 9 of 8'],
  [
    'a variable without a symbol',
    { ...CONTENT, symbols: CONTENT.symbols?.slice(2) ?? [] },
    'data section .data has a variable first that has no symbol in the file, so its offset is not known (type id 6)',
  ],
  [
    'a variable after 4 GiB',
    { ...CONTENT, symbols: [{ name: 'first', section: '.data', value: 2 ** 32 }] },
    'data section .data has a variable first that begins after 4 GiB',
  ],
  [
    'a data section that is not in it',
    { ...CONTENT, sections: CONTENT.sections?.toSpliced(1, 1) ?? [] },
    'data section .data is not in the file, so its size is not known (type id 6)',
  ],
  [
    'a data section of 4 GiB',
    {
      ...CONTENT,
      sections: CONTENT.sections?.with(1, emptySection('.data', 2 ** 32)) ?? [],
    },
    'data section .data has more than 4 GiB',
  ],
])('an object file with %s is rejected', (_, content, message) => {
  expect(() => prepare('little', assembleBtf('little'), content)).toThrow(message);
});

test.each([
  ['a type that does not exist', 9, 'reference to type id 9, which does not exist (type id 2)'],
  ['an integer', 1, 'data section .data contains type id 1, which is not a variable (type id 2)'],
])('a data section of %s is rejected', (_, id, message) => {
  const btf = new BtfAssembler('little')
    .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] })
    .type(Kind.DATASEC, '.data', { vlen: 1, data: [id, 0, 4] });
  expect(() => prepare('little', btf.bytes(), CONTENT)).toThrow(message);
});
