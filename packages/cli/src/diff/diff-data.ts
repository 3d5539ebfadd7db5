import type {
  Changed,
  ListChange,
  MemberFact,
  SpecDiff,
  TagFact,
  TypeChange,
  TypeFacts,
  ValueFact,
} from '@btfd/btf';
import type { Sides } from './diff-text.js';

/** diffData returns a diff for programs, with the names of kinds of bpftool's JSON. */
export function diffData({ a, b }: Sides, diff: SpecDiff): unknown {
  return { a, b, ...changesData(diff) };
}

/** changesData returns a diff for programs, without its sides. */
export function changesData({ added, removed, changed, same }: SpecDiff): object {
  return {
    added: added.map(typeData),
    removed: removed.map(typeData),
    changed: changed.map(changeData),
    same,
  };
}

function typeData({ kind, name, size, declaration }: TypeFacts): unknown {
  return {
    kind: kind.toUpperCase(),
    name,
    ...(size === null ? {} : { size }),
    ...(declaration === null ? {} : { declaration }),
  };
}

function changeData({ kind, name, size, declaration, members, values, tags }: TypeChange): unknown {
  return {
    kind: kind.toUpperCase(),
    name,
    ...(size === null ? {} : { size }),
    ...(declaration === null ? {} : { declaration }),
    members: listData(members, memberData),
    values: listData(values, ({ name: constant, value }: ValueFact) => ({ name: constant, value })),
    tags: { added: tags.added.map(tagData), removed: tags.removed.map(tagData) },
  };
}

function listData<T>({ added, removed, changed }: ListChange<T>, data: (one: T) => unknown): unknown {
  const pair = ({ from, to }: Changed<T>): unknown => ({ from: data(from), to: data(to) });
  return { added: added.map(data), removed: removed.map(data), changed: changed.map(pair) };
}

function memberData({ name, type, bitOffset, bitfieldSize, tags }: MemberFact): unknown {
  return {
    name,
    type,
    bits_offset: bitOffset,
    ...(bitfieldSize === 0 ? {} : { bitfield_size: bitfieldSize }),
    ...(tags.length === 0 ? {} : { tags }),
  };
}

function tagData({ text, parameter }: TagFact): unknown {
  // Positions count from 1.
  return { tag: text, ...(parameter === null ? {} : { position: parameter + 1 }) };
}
