import { describe, expect, test } from '@jest/globals';
import { Spec } from '../spec.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { assembleExt, type ExtWords } from '../testing/assemble-ext.js';
import { readErrorOf } from '../testing/read-error-of.js';
import { Kind } from '../types.js';
import { type BtfExt, parseBtfExt } from './btf-ext.js';

const ORDERS = ['little', 'big'] as const;

/** BTF with the strings of the records, and where they are. */
function strings(order: 'little' | 'big') {
  const btf = new BtfAssembler(order).type(Kind.STRUCT, 's', { sizeOrTypeId: 4 });
  const names = {
    kprobe: btf.string('kprobe'),
    text: btf.string('.text'),
    access: btf.string('0:1:2'),
    file: btf.string('a.c'),
    source: btf.string('return x;'),
    long: btf.string('x'.repeat(2000)),
  };
  return { names, spec: Spec.parse(btf.bytes()), end: btf.stringEnd };
}

const little = strings('little');
const parse = (words: ExtWords): BtfExt => parseBtfExt(assembleExt('little', words), little.spec);
const { names } = little;

describe.each(ORDERS)('a %s-endian .BTF.ext', (order) => {
  const { names: own, spec } = strings(order);

  test.each([
    ['records of the known sizes', 8, 16, 16],
    ['longer records', 12, 24, 256],
  ])('is parsed with %s', (_, functionSize, lineSize, relocationSize) => {
    const ext = parseBtfExt(
      assembleExt(order, {
        headerLength: functionSize === 8 ? 32 : 40,
        functions: {
          recordSize: functionSize,
          blocks: [
            { name: own.text, records: [[0, 7]] },
            {
              name: own.kprobe,
              records: [
                [0, 8],
                [16, 9],
              ],
            },
          ],
        },
        lines: {
          recordSize: lineSize,
          blocks: [
            {
              name: own.kprobe,
              records: [
                [8, own.file, own.source, (12 << 10) | 3],
                [24, own.file, 0, 13 << 10],
              ],
            },
          ],
        },
        relocations: {
          recordSize: relocationSize,
          blocks: [
            {
              name: own.kprobe,
              records: [
                [16, 3, own.access, 0],
                [24, 4, own.access, 13],
              ],
            },
            { name: own.kprobe, records: [[32, 3, own.access, 12]] },
          ],
        },
      }),
      spec,
    );
    expect(ext.byteOrder).toBe(order);
    expect([...ext.functions]).toEqual([
      ['.text', [{ instruction: 0, typeId: 7 }]],
      [
        'kprobe',
        [
          { instruction: 0, typeId: 8 },
          { instruction: 2, typeId: 9 },
        ],
      ],
    ]);
    expect(ext.relocations).toEqual([
      {
        section: 'kprobe',
        relocations: [
          { instruction: 2, typeId: 3, access: '0:1:2', kind: 'FIELD_BYTE_OFFSET', kindNumber: 0 },
          { instruction: 3, typeId: 4, access: '0:1:2', kind: null, kindNumber: 13 },
        ],
      },
      {
        section: 'kprobe',
        relocations: [{ instruction: 4, typeId: 3, access: '0:1:2', kind: 'TYPE_MATCHES', kindNumber: 12 }],
      },
    ]);
    expect(ext.lines.count).toBe(2);
    expect([0, 1, 2, 3, 9].map((instruction) => ext.lines.at('kprobe', instruction)?.line)).toEqual([
      undefined,
      12,
      12,
      13,
      13,
    ]);
    expect(ext.lines.at('kprobe', 2)).toEqual({ file: 'a.c', text: 'return x;', line: 12, column: 3 });
    expect(ext.lines.at('.text', 2)).toBeNull();
  });

  test('must have the byte order of .BTF', () => {
    const other = order === 'little' ? 'big' : 'little';
    expect(readErrorOf(() => parseBtfExt(assembleExt(other, {}), spec)).message).toMatch(
      /has not the byte order of .BTF/,
    );
  });
});

test('a header of 24 bytes has no relocations', () => {
  const { relocations, functions } = parse({
    headerLength: 24,
    functions: { blocks: [{ name: names.text, records: [[0, 1]] }] },
  });
  expect(relocations).toEqual([]);
  expect(functions.size).toBe(1);
});

test('parts of length 0 are absent, wherever they are', () => {
  const bytes = assembleExt('little', {});
  new DataView(bytes.buffer).setUint32(8, 0xffff_ffff, true);
  expect(parseBtfExt(bytes, little.spec)).toMatchObject({ relocations: [] });
});

test('lines are in the order of their instructions, of two of one instruction the last counts', () => {
  const line = (instruction: number, number: number): number[] => [
    instruction * 8,
    names.file,
    names.source,
    number << 10,
  ];
  const { lines } = parse({
    lines: {
      blocks: [
        { name: names.kprobe, records: [line(4, 40), line(0, 1), line(2, 20)] },
        { name: names.kprobe, records: [line(2, 21)] },
      ],
    },
  });
  expect([0, 1, 2, 3, 4].map((at) => lines.at('kprobe', at)?.line)).toEqual([1, 1, 21, 21, 40]);
});

test('the text of a line ends after 512 bytes', () => {
  const { lines } = parse({
    lines: { blocks: [{ name: names.kprobe, records: [[0, names.long, names.long, 1 << 10]] }] },
  });
  expect(lines.at('kprobe', 0)).toMatchObject({ text: 'x'.repeat(512), file: 'x'.repeat(1024) });
});

describe('a .BTF.ext is rejected', () => {
  const one = (record: readonly number[], recordSize = 16): ExtWords => ({
    relocations: { recordSize, blocks: [{ name: names.kprobe, records: [record] }] },
  });
  const changed = (at: number, value: number, words: ExtWords = one([0, 1, names.access, 0])) => {
    const bytes = assembleExt('little', words);
    new DataView(bytes.buffer).setUint32(at, value, true);
    return () => parseBtfExt(bytes, little.spec);
  };

  test.each([
    [
      'without a whole header',
      () => parseBtfExt(new Uint8Array(7), little.spec),
      'MALFORMED',
      /shorter than its header/,
    ],
    ['with another magic number', changed(0, 0x1234), 'MALFORMED', /magic number/],
    ['of another version', changed(0, 0x0002_eb9f), 'UNSUPPORTED', /unknown version 2/],
    ['with flags', changed(0, 0x0101_eb9f), 'UNSUPPORTED', /unknown flags 1/],
    ['with a short header', changed(4, 23), 'MALFORMED', /header length 23 is less than 24/],
    ['with a header longer than itself', changed(4, 4096), 'MALFORMED', /header length 4096 is more than/],
    ['with a part that is not aligned', changed(24, 2), 'MALFORMED', /core_relo .* not aligned/],
    ['with a part after its end', changed(24, 4096), 'MALFORMED', /ends after the end/],
    ['with a part that ends after its end', changed(28, 4096), 'MALFORMED', /ends after the end/],
    ['with a part that overflows', changed(28, 0xffff_ffff), 'MALFORMED', /ends after the end/],
    ['with a part of two bytes', changed(28, 2), 'MALFORMED', /has no record size/],
    ['with a record size and nothing else', changed(28, 4), 'MALFORMED', /has no records/],
    ['with short records', changed(32, 12), 'MALFORMED', /records of 12 bytes/],
    ['with records that are not whole words', changed(32, 18), 'MALFORMED', /records of 18 bytes/],
    ['with long records', changed(32, 260), 'LIMIT_EXCEEDED', /records of 260 bytes: the limit is 256/],
    ['with a head that is not whole', changed(28, 8), 'MALFORMED', /within the head of a block/],
    ['with an empty block', changed(40, 0), 'MALFORMED', /a block without records/],
    ['with a block that is too large', changed(40, 2), 'MALFORMED', /no room for 2 records/],
    ['with a block of 2^32 records', changed(40, 0xffff_ffff), 'MALFORMED', /no room for 4294967295 records/],
    ['with a section without a name', changed(36, 0), 'MALFORMED', /a section without a name/],
    ['with a name after the end of the strings', changed(36, little.end), 'MALFORMED', /string offset/],
    [
      'with an instruction within another',
      changed(44, 4),
      'MALFORMED',
      /instruction offset 4 is not a multiple of 8/,
    ],
    ['with an access after the end of the strings', changed(52, little.end), 'MALFORMED', /string offset/],
    [
      'with a long access',
      () => parse(one([0, 1, names.long, 0])),
      'LIMIT_EXCEEDED',
      /longer than the limit of 1024/,
    ],
    [
      'with a line whose text is after the end of the strings',
      () => parse({ lines: { blocks: [{ name: names.kprobe, records: [[0, names.file, little.end, 0]] }] } }),
      'MALFORMED',
      /string offset/,
    ],
    [
      'with too many relocations',
      () =>
        parse({
          relocations: {
            blocks: [
              { name: names.kprobe, records: Array.from({ length: 65_537 }, () => [0, 1, names.access, 0]) },
            ],
          },
        }),
      'LIMIT_EXCEEDED',
      /65537 relocations: the limit is 65536/,
    ],
  ])('%s', (_, run, code, message) => {
    const error = readErrorOf(run);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });
});

test.each(ORDERS)('each beginning of a %s-endian .BTF.ext is parsed or rejected', (order) => {
  const { names: own, spec } = strings(order);
  const whole = assembleExt(order, {
    functions: { blocks: [{ name: own.text, records: [[0, 7]] }] },
    lines: { blocks: [{ name: own.kprobe, records: [[8, own.file, own.source, 1024]] }] },
    relocations: { blocks: [{ name: own.kprobe, records: [[16, 3, own.access, 0]] }] },
  });
  for (let length = 0; length < whole.length; length++) {
    expect(readErrorOf(() => parseBtfExt(whole.slice(0, length), spec)).code).toBe('MALFORMED');
  }
});
