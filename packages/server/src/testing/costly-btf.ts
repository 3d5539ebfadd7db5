import type { Random } from 'test-tools/random';
import { Kind } from '@btfd/btf';
import { BtfWriter } from './btf-bytes.js';

/** The ids of the types that parts of BTF share. */
interface Shared {
  readonly lock: number;
  readonly head: number;
  readonly node: number;
  readonly int: number;
}

type Part = (writer: BtfWriter, shared: Shared, random: Random) => void;

/** A size between 1 and 2 ** bits. Half of them are large, because costs multiply sizes. */
function sizeUpTo(random: Random, bits: number): number {
  const half = 2 ** (bits - 1);
  return random(2) === 0 ? half + random(half) : 1 + random(2 ** random(bits));
}

/** Lists in structs, and a struct of elements with many members. */
const lists: Part = (writer, { lock, head, node, int }, random) => {
  const name = 'm'.repeat(1 + random(500));
  const shared = writer.string(name);
  const element = `element${writer.nextId}`;
  const members = Array.from({ length: sizeUpTo(random, 12) }, () => [shared, int, 192]).flat();
  const data = [`${name}_`, node, 0, ...members];
  writer.type(Kind.STRUCT, element, { vlen: data.length / 3, sizeOrTypeId: 28, data });
  const tag = `contains:${element}:${name}_`;
  for (let count = sizeUpTo(random, 8); count > 0; count--) {
    const sizeOrTypeId = writer.nextId;
    writer.type(Kind.STRUCT, '', { vlen: 2, sizeOrTypeId: 24, data: ['h', head, 0, 'l', lock, 128] });
    writer.type(Kind.DECL_TAG, tag, { sizeOrTypeId, data: [0] });
  }
};

/** Pointers to a chain of modifiers, some of which are in structs. */
const chains: Part = (writer, { int }, random) => {
  const object = writer.nextId;
  writer.type(Kind.STRUCT, 'btfd_object', { vlen: 1, sizeOrTypeId: 4, data: ['a', int, 0] });
  for (let length = sizeUpTo(random, 12); length > 0; length--) {
    const kind = [Kind.CONST, Kind.VOLATILE, Kind.RESTRICT][random(3)] ?? Kind.CONST;
    writer.type(kind, '', { sizeOrTypeId: writer.nextId - 1 });
  }
  const tag = writer.nextId;
  const name = ['kptr_untrusted', 'percpu_kptr', 'user'][random(3)] ?? '';
  writer.type(Kind.TYPE_TAG, name, { sizeOrTypeId: object + random(tag - object) });
  for (let count = sizeUpTo(random, 12); count > 0; count--) writer.type(Kind.PTR, '', { sizeOrTypeId: tag });
  const pointer = writer.nextId - 1;
  for (let count = random(4); count > 0; count--) {
    writer.type(Kind.STRUCT, '', { vlen: 1, sizeOrTypeId: 8, data: ['p', pointer, 0] });
  }
};

/** A lock next to structs that nest. */
const nesting: Part = (writer, { lock, int }, random) => {
  writer.type(Kind.STRUCT, 'leaf', { vlen: 1, sizeOrTypeId: 4, data: ['a', int, 0] });
  for (let level = random(14); level > 0; level--) {
    const data = ['a', writer.nextId - 1, 0, 'b', writer.nextId - 1, 0];
    writer.type(Kind.STRUCT, '', { vlen: 2, sizeOrTypeId: 4, data });
  }
  const data = ['l', lock, 0, 'i', writer.nextId - 1, 32];
  for (let count = 1 + random(4); count > 0; count--) {
    writer.type(Kind.STRUCT, '', { vlen: 2, sizeOrTypeId: 8, data });
  }
};

/** Functions that share a prototype, whose parameters share a name that may be too long. */
const functions: Part = (writer, { int }, random) => {
  const proto = writer.nextId;
  const name = writer.string('p'.repeat(random(3) === 0 ? sizeUpTo(random, 15) : 1 + random(511)));
  const data = Array.from({ length: sizeUpTo(random, 13) }, () => [name, int]).flat();
  writer.type(Kind.FUNC_PROTO, '', { vlen: data.length / 2, sizeOrTypeId: 0, data });
  for (let count = sizeUpTo(random, 13); count > 0; count--) {
    writer.type(Kind.FUNC, 'f', { sizeOrTypeId: proto });
  }
};

/** Values and tags that share long names. */
const names: Part = (writer, { int }, random) => {
  const value = writer.string('v'.repeat(1 + random(511)));
  const data = Array.from({ length: sizeUpTo(random, 11) }, () => [value, 0]).flat();
  writer.type(Kind.ENUM, '', { vlen: data.length / 2, sizeOrTypeId: 4, data });
  const tag = 't'.repeat(sizeUpTo(random, 14));
  for (let count = sizeUpTo(random, 9); count > 0; count--) {
    writer.type(Kind.TYPE_TAG, tag, { sizeOrTypeId: int });
  }
};

const PARTS: readonly Part[] = [lists, chains, nesting, functions, names];

/** The header before Linux 7.1, and the layout fields that follow it since. */
const HEADER_BYTES = 24;
const LAYOUT_BYTES = 8;
const WORD_BYTES = 4;

/**
 * costlyBtf returns random BTF of shapes that the kernel checks slowly, at most some 300 kB. No lock or reference count
 * occurs twice in a struct. Half of the results are then changed in some words.
 */
export function costlyBtf(random: Random): Uint8Array {
  const writer = new BtfWriter()
    .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [(1 << 24) | 32] })
    .type(Kind.STRUCT, 'bpf_spin_lock', { sizeOrTypeId: 4 })
    .type(Kind.STRUCT, 'bpf_list_head', { sizeOrTypeId: 16 })
    .type(Kind.STRUCT, 'bpf_list_node', { sizeOrTypeId: 24 });
  const shared = { int: 1, lock: 2, head: 3, node: 4 };
  for (let count = 1 + random(3); count > 0; count--) PARTS[random(PARTS.length)]?.(writer, shared, random);
  const bytes = withShortHeader(writer.bytes());
  if (random(2) === 0) mutate(bytes, random);
  return bytes;
}

/** Leaves the layout fields out, which kernels before 7.1 refuse. */
function withShortHeader(long: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(long.length - LAYOUT_BYTES);
  bytes.set(long.subarray(0, HEADER_BYTES));
  bytes.set(long.subarray(HEADER_BYTES + LAYOUT_BYTES), HEADER_BYTES);
  new DataView(bytes.buffer).setUint32(4, HEADER_BYTES, true);
  return bytes;
}

/** Replaces words of types by other words of types, or by numbers that differ by 1. */
function mutate(bytes: Uint8Array, random: Random): void {
  const view = new DataView(bytes.buffer);
  const words = view.getUint32(12, true) / WORD_BYTES;
  const at = (): number => HEADER_BYTES + WORD_BYTES * random(words);
  for (let count = 1 + random(3); count > 0; count--) {
    const target = at();
    const word = view.getUint32(random(2) === 0 ? at() : target, true);
    view.setUint32(target, random(3) === 0 ? word + 1 - 2 * random(2) : word, true);
  }
}
