import { Kind, type TypeId } from '../types.js';
import { MEMBER_WORDS, PARAM_WORDS, type TypeWords } from './type-words.js';

/** Words of one variable of a DATASEC: type id, offset, size. */
const SECINFO_WORDS = 3;

/** ReferencedTypes knows which types others refer to. It looks through all types when it is first asked. */
export class ReferencedTypes {
  readonly #types: TypeWords;
  #marks: Uint8Array | null = null;

  constructor(types: TypeWords) {
    this.#types = types;
  }

  has(id: TypeId): boolean {
    this.#marks ??= marksOf(this.#types);
    return this.#marks[id] === 1;
  }
}

function marksOf(types: TypeWords): Uint8Array {
  const marks = new Uint8Array(types.endTypeId);
  for (let id = 1; id < types.endTypeId; id++) {
    switch (types.kind(id)) {
      case Kind.FUNC_PROTO:
        marks[types.third(id)] = 1;
        markElements(types, id, marks, PARAM_WORDS, 1);
        break;
      case Kind.STRUCT:
      case Kind.UNION:
        markElements(types, id, marks, MEMBER_WORDS, 1);
        break;
      case Kind.DATASEC:
        markElements(types, id, marks, SECINFO_WORDS, 0);
        break;
      case Kind.ARRAY:
        marks[types.unsignedAt(types.elements(id))] = 1;
        marks[types.unsignedAt(types.elements(id) + 1)] = 1;
        break;
      case Kind.PTR:
      case Kind.TYPEDEF:
      case Kind.VOLATILE:
      case Kind.CONST:
      case Kind.RESTRICT:
      case Kind.FUNC:
      case Kind.VAR:
      case Kind.DECL_TAG:
      case Kind.TYPE_TAG:
        marks[types.third(id)] = 1;
        break;
      default:
        // Refers to nothing.
        break;
    }
  }
  return marks;
}

function markElements(types: TypeWords, id: TypeId, marks: Uint8Array, size: number, typeAt: number): void {
  const first = types.elements(id) + typeAt;
  const end = first + types.vlen(id) * size;
  for (let at = first; at < end; at += size) marks[types.unsignedAt(at)] = 1;
}
