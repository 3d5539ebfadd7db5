const INT = 1;
const STRUCT = 4;
const SIGNED = 1 << 24;

/** pointBtf returns BTF of `struct point { int x; int y; }`, built by hand. */
export function pointBtf(): Uint8Array {
  const strings = '\0int\0point\0x\0y\0';
  const name = (text: string): number => strings.indexOf(`\0${text}\0`) + 1;
  // As struct btf_type of linux/btf.h: name, info (the kind and a count), size, then the data of the kind.
  const int = [name('int'), INT << 24, 4, SIGNED | 32];
  const point = [name('point'), (STRUCT << 24) | 2, 8];
  const members = [name('x'), 1, 0, name('y'), 1, 32];
  const types = [...int, ...point, ...members];
  // As struct btf_header: magic, version and flags, header length, offset and length of types and of strings.
  const typesLength = types.length * 4;
  const header = [0xeb9f | (1 << 16), 24, 0, typesLength, typesLength, strings.length];
  const words = new Uint8Array(Uint32Array.from([...header, ...types]).buffer);
  return new Uint8Array([...words, ...new TextEncoder().encode(strings)]);
}
