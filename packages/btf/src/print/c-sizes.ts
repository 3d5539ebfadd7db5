import type { PointerSize } from '../query/pointer-size.js';
import { standsForOther } from '../query/resolve.js';
import { Kind, type TypeId } from '../types.js';
import { TypeMarks } from './type-marks.js';
import { MEMBER_WORDS, type TypeWords } from './type-words.js';
import type { WorkLimit } from './work-limit.js';

/** The largest size that libbpf computes. A larger type counts as a type without a size. */
const MAX_SIZE = 0xffffffff;

/**
 * CSizes returns sizes and alignments in bytes: 0 and 1 for types that have none. The results equal those of `sizeof` and
 * `alignof` where these do not throw, but types are not decoded.
 *
 * It exists because `sizeof` and `alignof` decode a type for each member, which takes 150 ms for the structs of a kernel.
 * They also throw, which is wrong here. A test compares the results.
 */
export class CSizes {
  readonly pointerSize: PointerSize;
  readonly types: TypeWords;
  readonly work: WorkLimit;
  /** Alignments of composites; 0 if not known yet. */
  readonly #alignments: TypeMarks;

  constructor(types: TypeWords, work: WorkLimit, pointerSize: PointerSize) {
    this.types = types;
    this.work = work;
    this.pointerSize = pointerSize;
    this.#alignments = new TypeMarks(types.endTypeId);
  }

  sizeof(id: TypeId): number {
    const types = this.types;
    let count = 1;
    for (let at = id; ; this.work.step(at)) {
      switch (types.kind(at)) {
        case Kind.INT:
        case Kind.STRUCT:
        case Kind.UNION:
        case Kind.ENUM:
        case Kind.ENUM64:
        case Kind.FLOAT:
          return atMost(count * types.third(at));
        case Kind.PTR:
          return atMost(count * this.pointerSize);
        case Kind.TYPEDEF:
        case Kind.VOLATILE:
        case Kind.CONST:
        case Kind.RESTRICT:
        case Kind.TYPE_TAG:
          at = types.third(at);
          break;
        case Kind.ARRAY:
          count = atMost(count * types.arrayLength(at));
          at = types.elementType(at);
          break;
        default:
          return 0;
      }
    }
  }

  alignof(id: TypeId): number {
    const types = this.types;
    const at = this.aligningType(id);
    switch (types.kind(at)) {
      case Kind.INT:
      case Kind.ENUM:
      case Kind.ENUM64:
      case Kind.FLOAT:
        return Math.max(1, Math.min(types.third(at), this.pointerSize));
      case Kind.PTR:
        return this.pointerSize;
      case Kind.STRUCT:
      case Kind.UNION:
        return this.#alignments.get(at) || this.#alignofComposite(at);
      default:
        return 1;
    }
  }

  /** aligningType returns the type that gives a type its alignment: without typedefs, qualifiers and arrays. */
  aligningType(id: TypeId): TypeId {
    const types = this.types;
    for (let at = id; ; this.work.step(at)) {
      const kind = types.kind(at);
      if (kind === Kind.ARRAY) at = types.elementType(at);
      else if (standsForOther(kind)) at = types.third(at);
      else return at;
    }
  }

  /** isPacked reports whether offsets or the size show that a composite was declared `packed`. */
  isPacked(id: TypeId): boolean {
    // An alignment above 1 fits all members and the size.
    return this.alignof(id) === 1 && this.#largestMemberAlignment(id) > 1;
  }

  #alignofComposite(id: TypeId): number {
    this.work.enter(id);
    const alignment = this.#naturalAlignment(id);
    this.work.leave();
    this.#alignments.set(id, alignment);
    return alignment;
  }

  #naturalAlignment(id: TypeId): number {
    const types = this.types;
    const packsBitfields = types.kindFlag(id);
    const first = types.elements(id);
    const end = first + types.vlen(id) * MEMBER_WORDS;
    let largest = 1;
    for (let at = first; at < end; at += MEMBER_WORDS) {
      const alignment = this.alignof(types.unsignedAt(at + 1));
      const offset = types.unsignedAt(at + 2);
      const isBitfield = packsBitfields && offset > 0xffffff;
      if (!isBitfield && offset % (8 * alignment) !== 0) return 1;
      if (alignment > largest) largest = alignment;
    }
    return types.third(id) % largest === 0 ? largest : 1;
  }

  #largestMemberAlignment(id: TypeId): number {
    const types = this.types;
    const first = types.elements(id);
    const end = first + types.vlen(id) * MEMBER_WORDS;
    let largest = 1;
    for (let at = first; at < end; at += MEMBER_WORDS) {
      largest = Math.max(largest, this.alignof(types.unsignedAt(at + 1)));
    }
    return largest;
  }
}

function atMost(size: number): number {
  return size > MAX_SIZE ? 0 : size;
}
