import type { ByteOrder } from '../header.js';
import type { BtfAssembler } from './assemble-btf.js';

/** FutureChange is what a later kernel could add to a BTF. */
export interface FutureChange {
  /** Default: 0. */
  readonly flags?: number;
  /** Words after the 32 bytes of today's header, which is longer then. Default: a header of 24 bytes. */
  readonly surplus?: readonly number[];
  /** Bytes before the types, between types and strings, and after the strings. Default: 0. */
  readonly gaps?: readonly [beforeTypes: number, beforeStrings: number, afterStrings: number];
}

/** FutureCase is a change, with the notes that it makes, and how kernels refuse it: their words, and the offset. */
export interface FutureCase {
  readonly what: string;
  readonly change: FutureChange;
  readonly notes: readonly string[];
  readonly refusal: readonly (readonly [message: string, offset: number])[];
}

const UNKNOWN_BYTES = 'bytes belong to no known section';
const SECTION = 'Unsupported section found';

/** FUTURE_CASES are for BTF of 40 bytes of types and 9 of strings. */
export const FUTURE_CASES: readonly FutureCase[] = [
  {
    what: 'a longer header of zeros',
    change: { surplus: [0, 0] },
    notes: [],
    refusal: [],
  },
  {
    what: 'flags',
    change: { flags: 0x81 },
    notes: ['unknown flags 0x81 in the header (offset 3, 1 byte)'],
    refusal: [['Unsupported flags', 3]],
  },
  {
    what: 'a new section before the strings',
    change: { surplus: [40, 12], gaps: [0, 12, 0] },
    notes: [
      'unknown fields in the header of 40 bytes (offset 32, 8 bytes)',
      `${UNKNOWN_BYTES} (offset 80, 12 bytes)`,
    ],
    refusal: [
      ['Unsupported btf_header', 32],
      [SECTION, 80],
    ],
  },
  {
    what: 'a new section at the end',
    change: { surplus: [0, 49, 7], gaps: [0, 0, 7] },
    notes: [
      'unknown fields in the header of 44 bytes (offset 36, 8 bytes)',
      `${UNKNOWN_BYTES} (offset 93, 7 bytes)`,
    ],
    refusal: [
      ['Unsupported btf_header', 36],
      [SECTION, 93],
    ],
  },
  {
    what: 'a gap before the types',
    change: { gaps: [4, 0, 0] },
    notes: [`${UNKNOWN_BYTES} (offset 24, 4 bytes)`],
    refusal: [[SECTION, 24]],
  },
  {
    what: 'all of it',
    change: { flags: 1, surplus: [1], gaps: [8, 1, 3] },
    notes: [
      'unknown flags 0x1 in the header (offset 3, 1 byte)',
      'unknown fields in the header of 36 bytes (offset 32, 4 bytes)',
      `${UNKNOWN_BYTES} (offset 36, 8 bytes)`,
      `${UNKNOWN_BYTES} (offset 84, 1 byte)`,
      `${UNKNOWN_BYTES} (offset 94, 3 bytes)`,
    ],
    refusal: [
      ['Unsupported flags', 3],
      ['Unsupported btf_header', 32],
      [SECTION, 36],
      [SECTION, 84],
      [SECTION, 94],
    ],
  },
];

/** futureBtf returns the BTF of an assembler as a later kernel could write it. The bytes in gaps are 0xaa. */
export function futureBtf(btf: BtfAssembler, order: ByteOrder, change: FutureChange): Uint8Array {
  const { flags = 0, surplus = [], gaps = [0, 0, 0] } = change;
  const today = btf.bytes();
  const view = new DataView(today.buffer);
  const little = order === 'little';
  const [typesLength, stringsLength] = [view.getUint32(12, little), view.getUint32(20, little)];
  const types = today.subarray(24, 24 + typesLength);
  const strings = today.subarray(24 + typesLength);
  const headerLength = surplus.length === 0 ? 24 : 32 + 4 * surplus.length;
  const header = new DataView(new ArrayBuffer(headerLength));
  const stringsAt = gaps[0] + typesLength + gaps[1];
  const words = [headerLength, gaps[0], typesLength, stringsAt, stringsLength];
  for (const [i, word] of (surplus.length === 0 ? words : [...words, 0, 0, ...surplus]).entries()) {
    header.setUint32(4 + 4 * i, word, little);
  }
  const bytes = new Uint8Array(headerLength + stringsAt + stringsLength + gaps[2]).fill(0xaa);
  bytes.set(new Uint8Array(header.buffer));
  bytes.set(today.subarray(0, 3));
  bytes[3] = flags;
  bytes.set(types, headerLength + gaps[0]);
  bytes.set(strings, headerLength + stringsAt);
  return bytes;
}
