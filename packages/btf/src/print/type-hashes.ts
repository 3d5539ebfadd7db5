import { Kind, type TypeId } from '../types.js';
import type { StringBytes } from './string-bytes.js';
import { MEMBER_WORDS, type TypeWords } from './type-words.js';
import type { WorkLimit } from './work-limit.js';

/** A number of 64 bits in two halves. */
interface Hash {
  readonly high: number;
  readonly low: number;
}

const ZERO: Hash = { high: 0, low: 0 };

/**
 * TypeHashes orders types of the same name by the hash of bpftool 7.8, which covers the names of their members and of the
 * members' types. So the order does not depend on ids.
 */
export class TypeHashes {
  readonly #types: TypeWords;
  readonly #strings: StringBytes;
  readonly #work: WorkLimit;
  /** The hashes of structs and unions with their members. */
  readonly #composites = new Map<TypeId, Hash>();
  readonly #names = new Map<number, Hash>();

  constructor(types: TypeWords, strings: StringBytes, work: WorkLimit) {
    this.#types = types;
    this.#strings = strings;
    this.#work = work;
  }

  /** sort sorts ids by their hashes, then by their value. */
  sort(ids: Uint32Array): void {
    const rows = Array.from(ids, (id) => ({ id, hash: this.#of(id, true) }));
    rows.sort((a, b) => a.hash.high - b.hash.high || a.hash.low - b.hash.low || a.id - b.id);
    for (const [i, { id }] of rows.entries()) ids[i] = id;
  }

  #of(id: TypeId, withMembers: boolean): Hash {
    const types = this.#types;
    if (id === 0) return ZERO;
    this.#work.enter(id);
    let hash = this.#add(ZERO, types.name(id));
    switch (types.kind(id)) {
      case Kind.ENUM:
        hash = this.#addNames(hash, id, 2);
        break;
      case Kind.ENUM64:
        hash = this.#addNames(hash, id, 3);
        break;
      case Kind.STRUCT:
      case Kind.UNION:
        if (withMembers) hash = this.#withMembers(hash, id);
        break;
      case Kind.TYPE_TAG:
      case Kind.CONST:
      case Kind.PTR:
      case Kind.VOLATILE:
      case Kind.RESTRICT:
      case Kind.TYPEDEF:
        hash = join(hash, this.#of(types.third(id), withMembers));
        break;
      case Kind.ARRAY: {
        const at = types.elements(id);
        hash = join(hash, { high: 0, low: types.unsignedAt(at + 2) });
        hash = join(hash, this.#of(types.unsignedAt(at), withMembers));
        break;
      }
      default:
        break;
    }
    this.#work.leave();
    return hash;
  }

  #addNames(before: Hash, id: TypeId, words: number): Hash {
    const types = this.#types;
    const first = types.elements(id);
    let hash = before;
    for (let at = first; at < first + types.vlen(id) * words; at += words) {
      hash = this.#add(hash, types.unsignedAt(at));
    }
    return hash;
  }

  #withMembers(before: Hash, id: TypeId): Hash {
    let hash = this.#composites.get(id);
    if (hash === undefined) {
      hash = this.#addMembers(before, id);
      this.#composites.set(id, hash);
    }
    return hash;
  }

  #addMembers(before: Hash, id: TypeId): Hash {
    const types = this.#types;
    const first = types.elements(id);
    let hash = before;
    for (let at = first; at < first + types.vlen(id) * MEMBER_WORDS; at += MEMBER_WORDS) {
      hash = this.#add(hash, types.unsignedAt(at));
      hash = join(hash, this.#of(types.unsignedAt(at + 1), false));
    }
    return hash;
  }

  #add(hash: Hash, name: number): Hash {
    return name === 0 ? hash : join(hash, this.#ofName(name));
  }

  #ofName(offset: number): Hash {
    let hash = this.#names.get(offset);
    if (hash === undefined) {
      const bytes = this.#strings.section(offset);
      hash = ZERO;
      let byte = 0;
      for (let i = this.#strings.start(offset); (byte = bytes[i] ?? 0) !== 0; i++) {
        // `char` is signed.
        const isNegative = byte > 127;
        hash = join(hash, { high: isNegative ? 0xffffffff : 0, low: isNegative ? byte + 0xffffff00 : byte });
      }
      this.#names.set(offset, hash);
    }
    return hash;
  }
}

/** Returns `hash * 31 + value` in 64 bits. */
function join(hash: Hash, value: Hash): Hash {
  const low = hash.low * 31 + value.low;
  const high = hash.high * 31 + value.high + Math.floor(low / 2 ** 32);
  return { high: high >>> 0, low: low >>> 0 };
}
