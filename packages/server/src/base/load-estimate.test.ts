import { describe, expect, test } from '@jest/globals';
import { Kind } from '@btfd/btf';
import { BtfWriter, intBtf } from '../testing/btf-bytes.js';
import { isPlainBtf } from './load-estimate.js';

/** A pointer to an INT through a type of a kind. */
function through(kind: number, name = 'name'): Uint8Array {
  const writer = new BtfWriter().type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] });
  return writer.type(kind, name, { sizeOrTypeId: 1 }).type(Kind.PTR, '', { sizeOrTypeId: 2 }).bytes();
}

function withHeaderLength(length: number): Uint8Array {
  const bytes = intBtf();
  new DataView(bytes.buffer).setUint32(4, length, true);
  return bytes;
}

/** BTF with so many bytes. */
function sized(length: number): Uint8Array {
  return intBtf('a'.repeat(length - intBtf('').length - 1));
}

describe('BTF is plain', () => {
  test.each([
    ['with an INT', intBtf()],
    ['with a chain of modifiers', through(Kind.CONST)],
    ['with a struct', new BtfWriter().type(Kind.STRUCT, 's', { vlen: 1, data: ['a', 1, 0] }).bytes()],
    ['with a kind that nobody knows', through(122)],
    ['with 2 KiB', sized(2048)],
    ['that is cut off', intBtf().subarray(0, 40)],
    ['of another version', Uint8Array.from(intBtf(), (byte, at) => (at === 2 ? 9 : byte))],
    ['in the middle of its buffer', new Uint8Array([1, 2, 3, ...intBtf()]).subarray(3)],
  ])('%s', (_, bytes) => {
    expect(isPlainBtf(bytes)).toBe(true);
  });
});

describe('BTF is not plain', () => {
  test.each([
    ['without its header', new Uint8Array(7)],
    ['with more than 2 KiB', sized(2049)],
    ['with a special struct', through(Kind.STRUCT, 'bpf_list_head')],
    ['with the name of a tag', through(Kind.TYPEDEF, 'percpu_kptr')],
    ['with the name of a tag of users', through(Kind.TYPEDEF, 'uptr')],
    ['with a type tag', through(Kind.TYPE_TAG)],
    ['with a declaration tag', new BtfWriter().type(Kind.DECL_TAG, 't', { data: [0] }).bytes()],
    ['with a section', new BtfWriter().type(Kind.DATASEC, '').bytes()],
    ['with types that begin between words', withHeaderLength(33)],
  ])('%s', (_, bytes) => {
    expect(isPlainBtf(bytes)).toBe(false);
  });
});
