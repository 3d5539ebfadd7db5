/** BTF written by hand from the format's documentation, so that these tests do not depend on @btfd/btf. */

const KIND_INT = 1;
const KIND_STRUCT = 4;
const KIND_DECL_TAG = 17;
const HEADER_SIZE = 24;

/** Strings builds a string section. */
class Strings {
  #section = '\0';

  add(text: string): number {
    const offset = this.#section.length;
    this.#section += `${text}\0`;
    return offset;
  }

  bytes(): Uint8Array {
    return Buffer.from(this.#section, 'latin1');
  }
}

function info(kind: number, vlen: number): number {
  return (kind << 24) | vlen;
}

function assemble(types: readonly number[], strings: Strings): Uint8Array {
  const section = strings.bytes();
  const typeBytes = types.length * 4;
  const bytes = new Uint8Array(HEADER_SIZE + typeBytes + section.length);
  new Uint16Array(bytes.buffer, 0, 1).set([0xeb9f]);
  bytes[2] = 1;
  new Uint32Array(bytes.buffer, 4, 5).set([HEADER_SIZE, 0, typeBytes, typeBytes, section.length]);
  new Uint32Array(bytes.buffer, HEADER_SIZE, types.length).set(types);
  bytes.set(section, HEADER_SIZE + typeBytes);
  return bytes;
}

/** intBtf returns BTF with `count` INTs of 32 bits, all with one name. */
export function intBtf(count = 1, name = 'int'): Uint8Array {
  const strings = new Strings();
  const nameOffset = strings.add(name);
  const types = Array.from({ length: count }, () => [nameOffset, info(KIND_INT, 0), 4, 32]).flat();
  return assemble(types, strings);
}

/**
 * refusedBtf returns BTF that is valid except for its last type, whose kind no kernel knows. Each type before it adds a
 * line to the log.
 */
export function refusedBtf(count = 1): Uint8Array {
  const bytes = intBtf(count);
  const types = new Uint32Array(bytes.buffer, HEADER_SIZE, count * 4);
  types[(count - 1) * 4 + 1] = info(0, 0);
  return bytes;
}

/**
 * slowBtf returns valid BTF that the kernel checks in a time that grows with the square of `count` (about 0.3 s for
 * 5,000): for each struct with a list head it searches all types for the tag with the contents of the list.
 */
export function slowBtf(count: number): Uint8Array {
  const strings = new Strings();
  const types: number[] = [];
  const add = (...words: number[]) => types.push(...words);
  const head = strings.add('head');
  const lock = strings.add('lock');
  const node = strings.add('node');
  add(strings.add('int'), info(KIND_INT, 0), 4, 32); // 1
  add(strings.add('bpf_spin_lock'), info(KIND_STRUCT, 1), 4, lock, 1, 0); // 2
  add(strings.add('bpf_list_head'), info(KIND_STRUCT, 0), 16); // 3
  add(strings.add('bpf_list_node'), info(KIND_STRUCT, 0), 24); // 4
  add(strings.add('element'), info(KIND_STRUCT, 1), 24, node, 4, 0); // 5
  const first = 6;
  for (let i = 0; i < count; i++) add(0, info(KIND_STRUCT, 2), 24, head, 3, 0, lock, 2, 128);
  const contains = strings.add('contains:element:node');
  for (let i = 0; i < count; i++) add(contains, info(KIND_DECL_TAG, 0), first + i, 0);
  return assemble(types, strings);
}
