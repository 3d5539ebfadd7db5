import type { Type } from '@btfd/btf';

/**
 * More than the numbers of an element with their tags and length prefixes: at most two varints of ten bytes and three of
 * five.
 */
const NUMBERS_BYTES = 48;
/** A UTF-16 unit takes at most three bytes of UTF-8. */
const BYTES_PER_CHAR = 3;

/** TypePiece is a type, or a type with a part of its list. */
export interface TypePiece {
  readonly type: Type;
  /** Whether an earlier piece of the same type precedes it. */
  readonly continued: boolean;
  /** An upper bound of its encoded size. */
  readonly maxBytes: number;
}

/** splitType cuts a type into pieces whose lists have at most `limit` encoded bytes each. */
export function* splitType(type: Type, limit: number): Generator<TypePiece, void, void> {
  const fixed = NUMBERS_BYTES + type.name.length * BYTES_PER_CHAR;
  let continued = false;
  for (const { part, bytes } of partsOf(type, limit)) {
    yield { type: part, continued, maxBytes: fixed + bytes };
    continued = true;
  }
}

interface Part {
  readonly part: Type;
  readonly bytes: number;
}

/** The types of a union that have no list. A new kind with a list does not compile until it is split below. */
type WithoutList<Each> = Each extends unknown
  ? Extract<Each[keyof Each], readonly unknown[] | Uint8Array> extends never
    ? Each
    : never
  : never;

function* partsOf(type: Type, limit: number): Generator<Part, void, void> {
  switch (type.kind) {
    case 'STRUCT':
    case 'UNION':
      for (const { items, bytes } of slices(type.members, limit, nameLength))
        yield { part: { ...type, members: items }, bytes };
      return;
    case 'ENUM':
      for (const { items, bytes } of slices(type.values, limit, nameLength))
        yield { part: { ...type, values: items }, bytes };
      return;
    case 'ENUM64':
      for (const { items, bytes } of slices(type.values, limit, nameLength))
        yield { part: { ...type, values: items }, bytes };
      return;
    case 'FUNC_PROTO':
      for (const { items, bytes } of slices(type.params, limit, nameLength))
        yield { part: { ...type, params: items }, bytes };
      return;
    case 'DATASEC':
      for (const { items, bytes } of slices(type.vars, limit, () => 0))
        yield { part: { ...type, vars: items }, bytes };
      return;
    case 'UNKNOWN': {
      let at = 0;
      do {
        const data = type.data.subarray(at, at + limit);
        yield { part: { ...type, data }, bytes: data.length };
        at += limit;
      } while (at < type.data.length);
      return;
    }
    default: {
      const whole: WithoutList<Type> = type;
      yield { part: whole, bytes: 0 };
    }
  }
}

interface Slice<T> {
  readonly items: readonly T[];
  readonly bytes: number;
}

/** Cuts a list into slices. Each is within the limit or has one element. A list that fits is returned as it is. */
function* slices<T>(
  list: readonly T[],
  limit: number,
  nameLengthOf: (item: T) => number,
): Generator<Slice<T>, void, void> {
  let start = 0;
  let bytes = 0;
  for (const [index, item] of list.entries()) {
    const size = NUMBERS_BYTES + nameLengthOf(item) * BYTES_PER_CHAR;
    if (index > start && bytes + size > limit) {
      yield { items: list.slice(start, index), bytes };
      start = index;
      bytes = 0;
    }
    bytes += size;
  }
  yield { items: start === 0 ? list : list.slice(start), bytes };
}

function nameLength({ name }: { readonly name: string }): number {
  return name.length;
}
