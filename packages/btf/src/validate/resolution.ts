import { Kind, type TypeId } from '../types.js';
import { isModifier, type RawTypes } from './raw-types.js';
import { KIND_ROWS } from '../kind-words.js';

/** State is the progress of a type's resolution. */
export const State = { NEW: 0, UNDER_WAY: 1, RESOLVED: 2, FAILED: 3 } as const;

/** SizedType is a type with its size. */
export interface SizedType {
  readonly id: TypeId;
  readonly size: number;
}

/** Resolution has the state of each type and, once it is resolved, the type that it stands for and its size. */
export class Resolution {
  readonly #types: RawTypes;
  readonly pointerSize: number;
  readonly #states: Uint8Array;
  readonly #ids: Uint32Array;
  readonly #sizes: Uint32Array;

  constructor(types: RawTypes, pointerSize: number) {
    this.#types = types;
    this.pointerSize = pointerSize;
    this.#states = new Uint8Array(types.end);
    this.#ids = new Uint32Array(types.end);
    this.#sizes = new Uint32Array(types.end);
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
    this.#ids[id] = standsFor;
    this.#sizes[id] = size;
  }

  /** resolvedId returns the type that a type stands for; 0 if it is not resolved or stands for itself. */
  resolvedId(id: TypeId): TypeId {
    return this.#ids[id] ?? 0;
  }

  /** sized returns the size of a type and the type that has it; null if there is none. */
  sized(id: TypeId): SizedType | null {
    const own = this.#own(id);
    if (own !== null) return own;
    const kind = this.#types.kind(id);
    return isModifier(kind) || kind === Kind.VAR ? this.#own(this.resolvedId(id)) : null;
  }

  #own(id: TypeId): SizedType | null {
    if (id >= this.#types.end) return null;
    switch (KIND_ROWS[this.#types.kind(id)]?.size) {
      case 'OWN':
        return { id, size: this.#types.third(id) };
      case 'ELEMENTS':
        return { id, size: this.#sizes[id] ?? 0 };
      case 'POINTER':
        return { id, size: this.pointerSize };
      default:
        return null;
    }
  }
}
