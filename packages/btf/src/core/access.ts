import type { RelocationKind } from '../ext/records.js';
import { isComposite } from '../kind-words.js';
import { Kind, type TypeId } from '../types.js';
import { type CoreTypes, isEnum } from './core-types.js';
import { refusal } from './refusal.js';
import type { LoaderRules } from './rules/loader-rules.js';

/** More indexes than any real access has. libbpf's BPF_CORE_SPEC_MAX_LEN. */
export const MAX_INDEXES = 64;

/** Indexes are ints in libbpf. */
const MAX_INDEX = 0x7fff_ffff;

/** Accessor is a step of an access that has a meaning: the root, a named member, an element, an enum value. */
export interface Accessor {
  /** The struct or union that has the member; otherwise the root, the element or the enum. */
  readonly typeId: TypeId;
  readonly index: number;
  /** The name of a member or value; null for the root and for an element. */
  readonly name: string | null;
}

/** CorePath is a place in a type: what a relocation accesses in a local or a target type. */
export interface CorePath {
  readonly types: CoreTypes;
  readonly rootId: TypeId;
  /** Every index, also those of anonymous members. */
  readonly indexes: readonly number[];
  readonly accessors: readonly Accessor[];
  /** Bits from the start of the root, in 32 bits as in libbpf. */
  readonly bitOffset: number;
  /** Bits from the start of the root to the struct that the offset of the last member counts from. */
  readonly baseOffset: number;
  /** The type of the anonymous member that the access ends at; null if it ends at another place. */
  readonly anonymousId: TypeId | null;
  /**
   * The reason why the rest of the access leads nowhere, and whether that is an element of an array. A loader that compares
   * step by step may find before that the target does not match. Null if the access is whole.
   */
  readonly failure: { readonly error: unknown; readonly isElement: boolean } | null;
}

/** PLACE_OF_TYPE is a path to a whole type. */
export const PLACE_OF_TYPE = {
  indexes: [],
  accessors: [],
  bitOffset: 0,
  baseOffset: 0,
  anonymousId: null,
  failure: null,
};

const FIELD_KINDS: ReadonlySet<RelocationKind> = /* @__PURE__ */ new Set([
  'FIELD_BYTE_OFFSET',
  'FIELD_BYTE_SIZE',
  'FIELD_EXISTS',
  'FIELD_SIGNED',
  'FIELD_LSHIFT_U64',
  'FIELD_RSHIFT_U64',
] as const);

/** isFieldKind reports whether a kind of relocation is about a member or an element. */
export function isFieldKind(kind: RelocationKind): boolean {
  return FIELD_KINDS.has(kind);
}

/** isEnumKind reports whether a kind of relocation is about the value of an enum. */
export function isEnumKind(kind: RelocationKind): boolean {
  return kind === 'ENUMVAL_EXISTS' || kind === 'ENUMVAL_VALUE';
}

/** isTypeKind reports whether a kind of relocation is about a whole type. */
export function isTypeKind(kind: RelocationKind): boolean {
  return !isFieldKind(kind) && !isEnumKind(kind);
}

/**
 * parseAccess parses the access of a relocation: decimal indexes with `:` between them. libbpf also takes negative ones,
 * which compilers do not write, and reads types out of bounds for some.
 *
 * @throws a refusal if it is something else, or has more than 64 indexes.
 */
export function parseAccess(access: string): number[] {
  if (!/^\d+(?::\d+)*$/.test(access)) throw refusal(`"${access}" is not an access`);
  const indexes = access.split(':').map(Number);
  if (indexes.length > MAX_INDEXES) throw refusal(`the access has more than ${MAX_INDEXES} indexes`);
  if (indexes.some((index) => index > MAX_INDEX)) throw refusal(`"${access}" has an index of 2^31 or more`);
  return indexes;
}

/**
 * localPath follows the access of a relocation in the object's own types.
 *
 * @throws a refusal if the access leads nowhere, except by the rules of a loader that compares step by step.
 * @throws BtfFormatError for types that are invalid.
 */
export function localPath(
  types: CoreTypes,
  kind: RelocationKind,
  rootId: TypeId,
  access: string,
  rules: LoaderRules,
): CorePath {
  if (isTypeKind(kind)) {
    if (access !== '0') throw refusal(`the access of a type is "${access}", not "0"`);
    return { ...PLACE_OF_TYPE, types, rootId };
  }
  const indexes = parseAccess(access);
  const [first = 0] = indexes;
  const typeId = types.skip(rootId);
  if (isEnumKind(kind)) {
    if (!isEnum(types.kindOf(typeId)) || indexes.length > 1)
      throw refusal('the access is not a value of an enum');
    if (first >= types.countOf(typeId)) throw refusal(`the enum has no value ${first}`);
    const name = types.elementName(typeId, first);
    return { ...PLACE_OF_TYPE, types, rootId, indexes, accessors: [{ typeId, index: first, name }] };
  }
  const walk = new LocalWalk(types, typeId, first, rules);
  let failure: CorePath['failure'] = null;
  try {
    walk.root();
    for (const index of indexes.slice(1)) walk.step(index);
  } catch (error) {
    if (rules.choice === 'EACH_RELOCATION') throw error;
    failure = { error, isElement: walk.isAtArray };
  }
  const { accessors, bitOffset, baseOffset, anonymousId } = walk;
  return { types, rootId, indexes, accessors, bitOffset, baseOffset, anonymousId, failure };
}

class LocalWalk {
  readonly accessors: Accessor[];
  bitOffset = 0;
  baseOffset = 0;
  anonymousId: TypeId | null = null;
  isAtArray = false;
  #id: TypeId;
  readonly #types: CoreTypes;
  readonly #rules: LoaderRules;

  constructor(types: CoreTypes, id: TypeId, index: number, rules: LoaderRules) {
    this.#types = types;
    this.#rules = rules;
    this.#id = id;
    this.accessors = [{ typeId: id, index, name: null }];
  }

  root(): void {
    const [{ index } = { index: 0 }] = this.accessors;
    this.bitOffset = elementOffset(this.#types, 0, this.#id, index, this.#rules);
  }

  step(index: number): void {
    const types = this.#types;
    const id = types.skip(this.#id);
    const kind = types.kindOf(id);
    this.isAtArray = kind === Kind.ARRAY;
    this.anonymousId = null;
    if (isComposite(kind)) this.#member(id, index);
    else if (kind === Kind.ARRAY) this.#element(id, index);
    else throw refusal(`the access goes into type id ${id}, which is neither a struct, a union nor an array`);
  }

  #member(id: TypeId, index: number): void {
    const types = this.#types;
    if (index >= types.countOf(id)) throw refusal(`type id ${id} has no member ${index}`);
    const { typeId, bitOffset } = types.memberOf(id, index);
    this.baseOffset = this.bitOffset;
    this.bitOffset = (this.bitOffset + bitOffset) >>> 0;
    if (types.isUnnamed(id, index)) this.#anonymous(typeId);
    else this.accessors.push({ typeId: id, index, name: types.elementName(id, index) });
    this.#id = typeId;
  }

  #anonymous(typeId: TypeId): void {
    const id = this.#types.skip(typeId);
    if (this.#rules.choice === 'TYPE_IN_PROGRAM' && !isComposite(this.#types.kindOf(id))) {
      throw refusal(`type id ${id} is that of a member without a name, but neither a struct nor a union`);
    }
    this.anonymousId = id;
  }

  #element(id: TypeId, index: number): void {
    const types = this.#types;
    const { typeId, nelems } = types.arrayOf(id);
    if (index >= nelems && !isFlexible(types, this.accessors.at(-1), nelems)) {
      throw refusal(`element ${index} is after the end of an array of ${nelems}`);
    }
    const element = types.skip(typeId);
    this.accessors.push({ typeId: element, index, name: null });
    this.bitOffset = elementOffset(types, this.bitOffset, element, index, this.#rules);
    this.#id = element;
  }
}

/** elementOffset returns the offset of an element in bits, in 32 bits as in libbpf. */
export function elementOffset(
  types: CoreTypes,
  start: number,
  element: TypeId,
  index: number,
  { firstElement }: LoaderRules,
): number {
  if (index === 0 && firstElement === 'ANY') return start;
  // Above 2^53 the product is not exact, so its low bits are computed apart.
  const bits = BigInt(index) * BigInt(types.sizeOf(element)) * 8n;
  return (start + Number(BigInt.asUintN(32, bits))) >>> 0;
}

/** isFlexible reports whether an array without elements is the last member of its struct or union. */
export function isFlexible(types: CoreTypes, accessor: Accessor | undefined, nelems: number): boolean {
  if (accessor === undefined || accessor.name === null || nelems > 0) return false;
  return accessor.index === types.countOf(accessor.typeId) - 1;
}
