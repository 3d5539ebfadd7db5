import { HEAD_WORDS } from '../kind-words.js';
import { Kind, type TypeId } from '../types.js';
import type { GraphRoot, GraphRoots } from './graph-roots.js';
import type { KernelFeatures } from '../kernel/kernel-features.js';
import { PointerTags } from './pointer-tags.js';
import { latin1At, type RawTypes } from './raw-types.js';
import type { Resolution } from './resolution.js';
import {
  isRepeatable,
  KPTR_SIZE,
  SPECIAL_KINDS,
  type SpecialKind,
  type SpecialName,
} from './special-kinds.js';

/** The maximum number of special fields in a struct (BTF_FIELDS_MAX). */
const MAX_FIELDS = 11;

/** The number of nested arrays that the kernel follows (MAX_RESOLVE_DEPTH). */
const MAX_ARRAYS = 32;

/** No name or tag that matters is longer. */
const LONGEST_NAME = 32;

/** The `b` with which the names of all special kinds begin. */
const FIRST_BYTE = 0x62;

/** SpecialField is a field that is special to BPF programs. */
export interface SpecialField {
  readonly name: SpecialName;
  /** Bytes from the start of the struct that was searched. */
  readonly offset: number;
  readonly size: number;
  /** The contents of the root of a list or tree. */
  readonly root: GraphRoot | null;
  /** For a pointer that owns its target: the struct. */
  readonly pointee: TypeId | null;
  /** The member of the searched struct that is the field or contains it. */
  readonly member: number;
}

/** SpecialFields are the results of searching a struct, in the order of its members. */
export interface SpecialFields {
  readonly fields: readonly SpecialField[];
  /** The number of structs within each other. */
  readonly height: number;
  /** The names of which a struct may have only one, also of those within it. */
  readonly unique: ReadonlySet<SpecialName>;
  readonly problem: { readonly message: string; readonly member: number } | null;
}

/** The result for a member: fields, or a problem. */
interface Found {
  readonly fields: readonly SpecialField[];
  readonly height: number;
}

interface Element {
  readonly typeId: TypeId;
  readonly count: number;
}

const NOTHING: Found = { fields: [], height: 0 };
const TOO_MANY = 'More than 11 special fields (E2BIG)';
const IN_ARRAY = 'Array of a special field that cannot be repeated (EINVAL)';

/** SpecialSearch finds the special fields of structs, and searches each struct once. All types must be resolved. */
export class SpecialSearch {
  readonly #types: RawTypes;
  readonly #roots: GraphRoots;
  readonly #features: KernelFeatures;
  readonly #tags: PointerTags;
  readonly #known = new Map<TypeId, SpecialFields>();

  constructor(types: RawTypes, resolution: Resolution, roots: GraphRoots, features: KernelFeatures) {
    this.#types = types;
    this.#roots = roots;
    this.#features = features;
    this.#tags = new PointerTags(types, resolution, features);
  }

  /** kindOf returns the special kind of a type by its name; null if it is not special. */
  kindOf(typeId: TypeId): SpecialKind | null {
    const { strings } = this.#types;
    const name = this.#types.nameOffset(typeId);
    // Most names differ in the first byte.
    if (strings.byteAt(name) !== FIRST_BYTE) return null;
    const kind = SPECIAL_KINDS.get(latin1At(strings, name, LONGEST_NAME));
    if (kind === undefined) return null;
    return kind.name === 'bpf_res_spin_lock' && !this.#features.resilientLocks ? null : kind;
  }

  /** pointer reports whether a type is a pointer that the kernel keeps. It returns a text if the pointer is invalid. */
  pointer(id: TypeId): boolean | string {
    const pointer = this.#tags.keptPointer(id);
    return typeof pointer === 'string' ? pointer : pointer !== null;
  }

  /** search finds the special fields of a struct and of the structs within it. */
  search(id: TypeId): SpecialFields {
    const stack = this.#known.has(id) ? [] : [{ id, next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const within = this.#nextWithin(top);
      if (within !== null) stack.push({ id: within, next: 0 });
      else {
        this.#known.set(top.id, this.#gather(top.id));
        stack.pop();
      }
    }
    return this.#known.get(id) ?? { ...NOTHING, unique: new Set(), problem: null };
  }

  /** The next struct among the members that was not searched yet. */
  #nextWithin(frame: { readonly id: TypeId; next: number }): TypeId | null {
    const types = this.#types;
    const count = types.vlen(frame.id);
    while (this.#features.nestedFields && frame.next < count) {
      const typeId = this.#element(types.word(frame.id, HEAD_WORDS + frame.next * 3 + 1))?.typeId ?? 0;
      frame.next += 1;
      if (types.kind(typeId) === Kind.STRUCT && this.kindOf(typeId) === null && !this.#known.has(typeId)) {
        return typeId;
      }
    }
    return null;
  }

  #gather(id: TypeId): SpecialFields {
    const types = this.#types;
    const count = types.vlen(id);
    const fields: SpecialField[] = [];
    const seen = new Set<SpecialName>();
    let height = 0;
    for (let member = 0; member < count; member++) {
      const found = this.#inMember(id, member, seen, MAX_FIELDS - fields.length);
      if (typeof found === 'string')
        return { fields, height, unique: seen, problem: { message: found, member } };
      fields.push(...found.fields);
      height = Math.max(height, found.height);
    }
    return { fields, height, unique: seen, problem: null };
  }

  #inMember(id: TypeId, member: number, seen: Set<SpecialName>, room: number): Found | string {
    const types = this.#types;
    const word = types.word(id, HEAD_WORDS + member * 3 + 2);
    const bitOffset = types.kindFlag(id) ? word & 0xffffff : word;
    if (bitOffset % 8 !== 0) return 'Bitfield beside special fields (EINVAL)';
    const offset = bitOffset / 8;
    const element = this.#element(types.word(id, HEAD_WORDS + member * 3 + 1));
    if (element === null) return 'Arrays nested too deep (E2BIG)';
    const { typeId, count } = element;
    if (count === 0) return NOTHING;
    const kind = this.kindOf(typeId);
    if (kind !== null) {
      if (this.#isUnique(kind)) {
        if (seen.has(kind.name)) return moreThanOne(kind.name);
        seen.add(kind.name);
      }
      const isKind =
        offset % kind.align === 0 && types.kind(typeId) === Kind.STRUCT && types.third(typeId) === kind.size;
      if (!isKind) return NOTHING;
      const root = kind.node === null ? null : this.#roots.rootOf(id, member);
      if (typeof root === 'string') return root;
      const field = { name: kind.name, offset, size: kind.size, root, pointee: null, member };
      return repeat([field], count, kind.size, room, 0);
    }
    if (types.kind(typeId) !== Kind.STRUCT) return this.#pointerField(typeId, offset, count, member, room);
    if (!this.#features.nestedFields) return NOTHING;
    const within = this.search(typeId);
    if (this.#features.uniqueFields) {
      for (const name of within.unique) {
        if (seen.has(name)) return moreThanOne(name);
        seen.add(name);
      }
    }
    if (within.problem !== null) return within.problem.message;
    const moved = within.fields.map((field) => ({ ...field, offset: offset + field.offset, member }));
    return repeat(moved, count, types.third(typeId), room, within.height + 1);
  }

  #isUnique({ unique }: SpecialKind): boolean {
    return unique === 'ALWAYS' || (unique === 'NESTED' && this.#features.uniqueFields);
  }

  #pointerField(typeId: TypeId, offset: number, count: number, member: number, room: number): Found | string {
    if (!this.#features.pointerFields || offset % KPTR_SIZE !== 0) return NOTHING;
    const pointer = this.#tags.keptPointer(typeId);
    if (typeof pointer === 'string') return pointer;
    if (pointer === null) return NOTHING;
    const pointee = pointer.owns ? pointer.structId : null;
    const field = { name: 'kptr', offset, size: KPTR_SIZE, root: null, pointee, member } as const;
    return repeat([field], count, KPTR_SIZE, room, 0);
  }

  /** The element type of an array, or of arrays of arrays, and their number; null if too many are nested. */
  #element(id: TypeId): Element | null {
    const types = this.#types;
    if (!this.#features.nestedFields) return { typeId: id, count: 1 };
    let typeId = id;
    let count = 1;
    for (let depth = 0; types.kind(typeId) === Kind.ARRAY; depth++) {
      if (depth === MAX_ARRAYS - 1) return null;
      count = Math.imul(count, types.word(typeId, HEAD_WORDS + 2));
      typeId = types.word(typeId, HEAD_WORDS);
    }
    return { typeId, count: count >>> 0 };
  }
}

function moreThanOne(name: SpecialName): string {
  return `More than one ${name} (E2BIG)`;
}

/** The fields of all elements of an array, if they may be repeated and there is room. */
function repeat(
  fields: readonly SpecialField[],
  count: number,
  size: number,
  room: number,
  height: number,
): Found | string {
  if (fields.length > room) return TOO_MANY;
  if (count === 1 || fields.length === 0) return { fields, height };
  if (!fields.every(({ name }) => isRepeatable(name))) return IN_ARRAY;
  if (fields.length * count > room) return TOO_MANY;
  const all = Array.from({ length: count }, (_, i) =>
    fields.map((field) => ({ ...field, offset: field.offset + i * size })),
  );
  return { fields: all.flat(), height };
}
