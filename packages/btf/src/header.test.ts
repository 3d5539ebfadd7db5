import { describe, expect, test } from '@jest/globals';
import { BtfFormatError } from './format-error.js';
import { parseHeader } from './header.js';
import { Spec } from './spec.js';
import { BtfAssembler, type HeaderOptions } from './testing/assemble-btf.js';
import { Kind } from './types.js';

const assembled = (options?: HeaderOptions) =>
  new BtfAssembler('little').type(Kind.FLOAT, 'double', { sizeOrTypeId: 8 }).bytes(options);

/** The BTF of one type with 32-bit words of its header replaced. */
function withWords(words: Record<number, number>, options?: HeaderOptions, extra = 0): Uint8Array {
  const bytes = new Uint8Array([...assembled(options), ...new Uint8Array(extra)]);
  const view = new DataView(bytes.buffer);
  for (const [at, word] of Object.entries(words)) view.setUint32(Number(at), word, true);
  return bytes;
}

function failure(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

const [TYPE_OFF, TYPE_LEN, STR_OFF, STR_LEN, LAYOUT_OFF, LAYOUT_LEN] = [8, 12, 16, 20, 24, 28];

describe('parseHeader', () => {
  test.each(['little', 'big'] as const)(
    'reads a %s-endian header, sections from the start of the BTF',
    (order) => {
      const bytes = new BtfAssembler(order).type(Kind.FLOAT, 'double', { sizeOrTypeId: 8 }).bytes();
      expect(parseHeader(bytes)).toEqual({
        byteOrder: order,
        length: 24,
        types: { offset: 24, length: 12 },
        strings: { offset: 36, length: 8 },
        layout: { offset: 24, length: 0 },
        notes: [],
      });
    },
  );

  test('reads the 32 bytes of Linux 7.1 with the layout section between types and strings', () => {
    const header = parseHeader(
      assembled({
        headerLength: 32,
        layout: [
          [0, 0],
          [4, 0],
        ],
      }),
    );
    expect(header.types).toEqual({ offset: 32, length: 12 });
    expect(header.layout).toEqual({ offset: 44, length: 8 });
    expect(header.strings).toEqual({ offset: 52, length: 8 });
  });

  test.each([28, 32, 36, 64, 25])('accepts a header of %d bytes whose surplus is zero', (headerLength) => {
    const spec = Spec.parse(assembled({ headerLength }));
    expect(spec.typeById(1)).toEqual({ kind: 'FLOAT', id: 1, name: 'double', size: 8 });
  });

  test('ignores the offset of an absent layout section, as the kernel does', () => {
    expect(parseHeader(withWords({ [LAYOUT_OFF]: 0xfff0 }, { headerLength: 32 })).layout.length).toBe(0);
  });

  test('ignores the fields of a layout section that the header does not have whole, as Linux 7.2 does', () => {
    const header = parseHeader(withWords({ [LAYOUT_OFF]: 1 }, { headerLength: 28 }));
    expect([header.length, header.layout.length]).toEqual([28, 0]);
  });

  test('accepts strings before types, as the kernel does, though libbpf does not write such BTF', () => {
    const bytes = withWords({ [TYPE_OFF]: 8, [STR_OFF]: 0 });
    const [types, strings] = [bytes.slice(24, 36), bytes.slice(36, 44)];
    bytes.set(strings, 24);
    bytes.set(types, 32);
    expect(Spec.parse(bytes).nameOf(1)).toBe('double');
  });

  // The section cases are those of the kernel's selftest prog_tests/btf.c ("btf_header test. …") and
  // of btf_check_sec_info.
  test.each<[string, Uint8Array, string, string, number]>([
    ['nothing at all', new Uint8Array(0), 'MALFORMED', 'shorter', 0],
    ['a header cut off', assembled().subarray(0, 23), 'MALFORMED', 'shorter', 0],
    ['another magic number', withWords({ 0: 0x0001eb9e }), 'MALFORMED', 'magic', 0],
    ['another version', withWords({ 0: 0x0002eb9f }), 'UNSUPPORTED', 'version 2', 2],
    ['a header that is too short', withWords({ 4: 23 }), 'MALFORMED', 'less than 24', 4],
    ['a header longer than all', withWords({ 4: 45 }), 'MALFORMED', 'more than', 4],
    ['an enormous header', withWords({ 4: 0xffffffff }), 'MALFORMED', 'more than', 4],
    ['types that are not aligned', withWords({ [TYPE_OFF]: 2 }), 'MALFORMED', 'aligned', 8],
    ['sections that overlap', withWords({ [STR_OFF]: 8 }), 'MALFORMED', 'overlap', 32],
    ['types over the strings', withWords({ [TYPE_OFF]: 4 }), 'MALFORMED', 'overlap', 36],
    ['strings that end after the end', withWords({ [STR_OFF]: 16 }), 'MALFORMED', 'ends after', 40],
    ['types after the end', withWords({ [TYPE_OFF]: 400 }), 'MALFORMED', 'starts after', 424],
    ['strings after the end', withWords({ [STR_OFF]: 400 }), 'MALFORMED', 'starts after', 424],
    ['too many bytes of types', withWords({ [TYPE_LEN]: 0xfffffffc }), 'MALFORMED', 'ends after', 24],
    ['too many bytes of strings', withWords({ [STR_LEN]: 9 }), 'MALFORMED', 'ends after', 36],
    [
      'a layout section over the strings',
      withWords({ [LAYOUT_OFF]: 12, [LAYOUT_LEN]: 4 }, { headerLength: 32 }),
      'MALFORMED',
      'overlap',
      44,
    ],
  ])('rejects %s', (_, bytes, code, message, offset) => {
    const error = failure(() => parseHeader(bytes));
    expect(error).toBeInstanceOf(BtfFormatError);
    expect(error).toMatchObject({ code, offset, message: expect.stringContaining(message) });
  });
});
