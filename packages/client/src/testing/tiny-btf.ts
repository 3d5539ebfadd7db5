import type { FakeDaemon } from '../fake-daemon/index.js';

const HEADER_LENGTH = 24;

/** tinyBtf returns little-endian BTF of one type, an INT of 4 bytes with the given name. */
export function tinyBtf(name: string): Uint8Array {
  // INT is kind 1. It is followed by the size, and by the word of its encoding: 32 bits.
  return assemble([1, 1 << 24, 4, 32], `\0${name}\0`);
}

/** tinySplitBtf returns BTF of one type, a pointer to type 1 of its base, which must be a {@link tinyBtf}. */
export function tinySplitBtf(): Uint8Array {
  // PTR is kind 2 and has no name. In split BTF the empty string is in the base.
  return assemble([0, 2 << 24, 1], '');
}

/** addUserObjects adds a number of users' BTF objects to a fake kernel. */
export function addUserObjects(daemon: FakeDaemon, count: number): void {
  for (let i = 0; i < count; i++) daemon.addObject({ btf: tinyBtf('u32') });
}

function assemble(words: readonly number[], strings: string): Uint8Array {
  const typeLength = words.length * 4;
  const bytes = new Uint8Array(HEADER_LENGTH + typeLength + strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xeb9f, true);
  view.setUint8(2, 1);
  [HEADER_LENGTH, 0, typeLength, typeLength, strings.length].forEach((word, i) => {
    view.setUint32(4 + i * 4, word, true);
  });
  words.forEach((word, i) => view.setUint32(HEADER_LENGTH + i * 4, word, true));
  bytes.set(new TextEncoder().encode(strings), HEADER_LENGTH + typeLength);
  return bytes;
}
