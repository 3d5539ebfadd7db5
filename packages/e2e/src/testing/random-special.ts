import { seeded, type Random } from 'test-tools/random';
import { specialBtf } from './special-btf.js';

/** The sizes of member types in bytes. */
const SIZES: Readonly<Record<string, number>> = { int: 4, list: 16, tree: 16, node: 24, leaf: 32 };

/**
 * randomSpecial makes BTFs with random special fields. None has a pointer tagged `kptr`, because the kernel rejects such
 * pointers to its own types, for example `bpf_list_head`. Only the last struct has locks or counts: if several structs
 * within one have any, the kernel accepts the BTF but warns of a bug of its own.
 */
export function randomSpecial(seed: number): () => Uint8Array {
  const random = seeded(seed);
  return () => {
    const types: string[] = [];
    const count = 2 + random(5);
    for (let i = 0; i < count; i++) types.push(randomType(types, random));
    types.push(randomStruct(types, 'outer', random, ['lock', 'lock', 'res', 'count', 'res lock']));
    const structs = types.flatMap((type, i) => (type.includes('{') ? [i] : []));
    const tags = structs.flatMap((i) => tagsOf(i, types[i] ?? '', random));
    return specialBtf([...types, ...tags].join(' | '));
  };
}

function randomType(types: readonly string[], random: Random): string {
  const some = (): string => (types.length === 0 ? 'list' : `$${random(types.length)}`);
  const pick = (from: readonly string[]): string => from[random(from.length)] ?? '';
  switch (random(9)) {
    case 0:
      return `array ${pick(['list', 'tree', 'node', some()])} ${random(4)}`;
    case 1:
      return `ptr ${some()}`;
    case 2:
      return `tag ${pick(['kptr_untrusted', 'percpu_kptr', 'uptr', 'rcu'])} ${some()}`;
    case 3:
      return `${pick(['volatile', 'const'])} ${some()}`;
    case 4:
      return `typedef t ${some()}`;
    default:
      return randomStruct(types, `btfd_${types.length}`, random, []);
  }
}

function randomStruct(
  types: readonly string[],
  name: string,
  random: Random,
  locks: readonly string[],
): string {
  const members: string[] = [];
  let at = 0;
  const add = (type: string): void => {
    members.push(`${type}@${at}=${random(9) === 0 ? 'n' : `n${members.length}`}`);
    at += random(30) === 0 ? 4 : (SIZES[type] ?? 64);
  };
  for (let left = random(4); left > 0; left--) {
    const names = [...Object.keys(SIZES), `$${random(Math.max(1, types.length))}`];
    add(names[random(names.length)] ?? 'int');
  }
  if (locks.length > 0) for (const lock of (locks[random(locks.length)] ?? '').split(' ')) add(lock);
  return `${name}#${256 - types.length * 8}{${members.join(' ')}}`;
}

/** Returns tags for most roots, each of which names a member of some struct. */
function tagsOf(index: number, type: string, random: Random): string[] {
  const members = (/\{(.*)\}/.exec(type)?.[1] ?? '').split(' ');
  return members.flatMap((member, i) => {
    if (!/^(?:list|tree|\$)/.test(member) || random(8) === 0) return [];
    const target = random(3) === 0 ? 'outer' : `btfd_${random(6)}`;
    return [`on $${index}.${i} contains:${target}:n${random(4)}`];
  });
}
