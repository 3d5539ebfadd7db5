import { Kind, type TypeId } from '../types.js';
import { isModifier, type RawTypes } from './raw-types.js';
import { kindTable } from '../kind-words.js';

/** State is the progress of a type's resolution. */
export const State = { NEW: 0, UNDER_WAY: 1, RESOLVED: 2, FAILED: 3 } as const;

const HAS_OWN_SIZE = /* @__PURE__ */ kindTable(
  ({ size }) => size === 'OWN' || size === 'ELEMENTS' || size === 'POINTER',
);

/** Resolution has the state of each type and, once it is resolved, the type that it stands for and its size. */
export class Resolution {
  readonly #types: RawTypes;
  readonly pointerSize: number;
  /** 1 for the types that were found to be valid for a parameter. */
  readonly paramTypes: Uint8Array;
  /** 1 for the prototypes of which each parameter was found to have a name. */
  readonly namedParams: Uint8Array;
  /** 1 more than the index of the first parameter without a name, by prototype. 0 if that is not known. Made at the first. */
  #unnamedParams: Uint32Array | null = null;
  /**
   * 1 more than the bytes that a member of a type needs, if nothing but its place can be wrong. 0 if that is not known. See
   * `plainMemberSize`.
   */
  readonly memberSizes: Uint32Array;
  readonly #states: Uint8Array;
  readonly #ids: Uint32Array;
  readonly #sizes: Uint32Array;

  constructor(types: RawTypes, pointerSize: number) {
    this.#types = types;
    this.pointerSize = pointerSize;
    this.paramTypes = new Uint8Array(types.end);
    this.namedParams = new Uint8Array(types.end);
    this.memberSizes = new Uint32Array(types.end);
    this.#states = new Uint8Array(types.end);
    this.#ids = new Uint32Array(types.end);
    this.#sizes = new Uint32Array(types.end);
  }

  /** Returns the index of the first parameter of a prototype that was found to have no name; undefined if none is known. */
  unnamedParam(proto: TypeId): number | undefined {
    const known = this.#unnamedParams?.[proto] ?? 0;
    return known === 0 ? undefined : known - 1;
  }

  setUnnamedParam(proto: TypeId, index: number): void {
    this.#unnamedParams ??= new Uint32Array(this.#types.end);
    this.#unnamedParams[proto] = index + 1;
  }

  state(id: TypeId): number {
    return this.#states[id] ?? State.NEW;
  }

  setState(id: TypeId, state: number): void {
    this.#states[id] = state;
  }

  /** resolve records the type that a type stands for and, for arrays, its size. */
  resolve(id: TypeId, standsFor: TypeId, size: number): void {
    this.#states[id] = State.RESOLVED;
    // Both are 0 before: a write would touch more memory.
    if (standsFor !== 0) this.#ids[id] = standsFor;
    if (size !== 0) this.#sizes[id] = size;
  }

  /** resolvedId returns the type that a type stands for; 0 if it is not resolved or stands for itself. */
  resolvedId(id: TypeId): TypeId {
    return this.#ids[id] ?? 0;
  }

  /** sizedId returns the type that has the size of a type; 0 if there is none. {@link sizeOf} returns its size. */
  sizedId(id: TypeId): TypeId {
    if (this.#hasSize(id)) return id;
    const kind = this.#types.kind(id);
    const target = isModifier(kind) || kind === Kind.VAR ? this.resolvedId(id) : 0;
    return this.#hasSize(target) ? target : 0;
  }

  /** sizeOf returns the size of a type that has one of its own. */
  sizeOf(id: TypeId): number {
    switch (this.#types.kind(id)) {
      case Kind.ARRAY:
        return this.#sizes[id] ?? 0;
      case Kind.PTR:
        return this.pointerSize;
      default:
        return this.#types.third(id);
    }
  }

  #hasSize(id: TypeId): boolean {
    return HAS_OWN_SIZE[this.#types.kind(id)] === 1;
  }
}
