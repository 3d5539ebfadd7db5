import { Builder, type NewType } from '@btfd/btf';
import { seeded, type Random } from 'test-tools/random';

/**
 * randomOwners makes BTFs of structs that own each other at random, by lists and by tagged pointers. The names of the
 * structs are not those of the kernel's own types.
 */
export function randomOwners(seed: number): () => Uint8Array {
  const random = seeded(seed);
  return () => ownersBtf(random);
}

function ownersBtf(random: Random): Uint8Array {
  const builder = new Builder({ deduplicate: false });
  const add = (type: NewType): number => builder.add(type);
  const special = (name: string, size: number): number => add({ kind: 'STRUCT', name, size, members: [] });
  const [lock, list, node] = [
    special('bpf_spin_lock', 4),
    special('bpf_list_head', 16),
    special('bpf_list_node', 24),
  ];
  const ids = Array.from({ length: 1 + random(12) }, () => builder.reserve());
  // Mostly a struct before this one, so that chains are long.
  const targetOf = (i: number): number =>
    random(8) === 0 ? random(ids.length) : Math.max(0, i - 1 - random(2));
  const tags: NewType[] = [];
  for (const [i, id] of ids.entries()) {
    const members: { name: string; typeId: number; size: number }[] = [];
    if (random(6) > 0) members.push({ name: 'n', typeId: node, size: 24 });
    const way = i > 0 || random(4) === 0 ? random(4) : 3;
    if (way < 2) {
      const name = `contains:btfd_s${targetOf(i)}:n`;
      tags.push({ kind: 'DECL_TAG', name, typeId: id, componentIdx: members.length, attribute: false });
      members.push({ name: 'l', typeId: list, size: 16 });
    }
    if (way === 1 || way === 2) {
      const name = ['kptr', 'kptr', 'percpu_kptr', 'kptr_untrusted'][random(4)] ?? 'kptr';
      const target = ids[targetOf(i)] ?? 0;
      const tag = add({ kind: 'TYPE_TAG', name, typeId: target, attribute: false });
      members.push({ name: 'p', typeId: add({ kind: 'PTR', typeId: tag }), size: 8 });
    }
    if (random(10) > 0) members.push({ name: 'k', typeId: lock, size: 4 });
    builder.define(id, structOf(`btfd_s${i}`, members));
  }
  for (const tag of tags) add(tag);
  return builder.marshal();
}

function structOf(
  name: string,
  members: readonly { readonly name: string; readonly typeId: number; readonly size: number }[],
): NewType {
  let at = 0;
  const placed = members.map(({ size, ...member }) => {
    const bitOffset = at * 8;
    at += size;
    return { ...member, bitOffset, bitfieldSize: 0 };
  });
  return { kind: 'STRUCT', name, size: Math.ceil(at / 8) * 8, members: placed };
}
