import { BtfFormatError } from '../format-error.js';
import { Kind, type TypeId } from '../types.js';
import { ReferencedTypes } from './referenced-types.js';
import { TypeMarks } from './type-marks.js';
import { MEMBER_WORDS, PARAM_WORDS, type TypeWords } from './type-words.js';
import type { WorkLimit } from './work-limit.js';

const ORDERING = 1;
const ORDERED = 2;

/**
 * COrder sorts definitions so that C knows each type before its size is needed. Modelled on libbpf's
 * `btf_dump_order_type`.
 *
 * A reference is weak if a forward declaration is enough, because a pointer is on the way to a named type. Any other
 * reference is strong, including a pointer to an anonymous struct, which is defined where it is used.
 */
export class COrder {
  readonly #types: TypeWords;
  readonly #work: WorkLimit;
  readonly #states: TypeMarks;
  readonly #referenced: ReferencedTypes;
  #queue: TypeId[] = [];

  constructor(types: TypeWords, work: WorkLimit) {
    this.#types = types;
    this.#work = work;
    this.#states = new TypeMarks(types.endTypeId);
    this.#states.set(0, ORDERED);
    this.#referenced = new ReferencedTypes(types);
  }

  /**
   * definitionsFor returns the types to define for a type, itself last, in the order of definition, without those that
   * an earlier call returned.
   *
   * @throws BtfFormatError `MALFORMED` if types contain each other.
   * @throws BtfLookupError `NOT_FOUND` for a reference to a type that does not exist.
   * @throws BtfFormatError `LIMIT_EXCEEDED` if types nest too deep or refer to each other too often.
   */
  definitionsFor(id: TypeId): readonly TypeId[] {
    if (this.#states.get(id) === ORDERED) return [];
    this.#queue = [];
    this.#visit(id, false);
    return this.#queue;
  }

  /** Returns whether the reference is strong. */
  #visit(id: TypeId, throughPointer: boolean): boolean {
    const state = this.#states.get(id);
    if (state === ORDERED) return true;
    this.#work.enter(id);
    const strong =
      state === ORDERING ? this.#meetAgain(id, throughPointer) : this.#visitKind(id, throughPointer);
    this.#work.leave();
    return strong;
  }

  #meetAgain(id: TypeId, throughPointer: boolean): boolean {
    // Only composites are marked while they are ordered.
    if (throughPointer && this.#types.name(id) !== 0) return false;
    throw new BtfFormatError('MALFORMED', 'the type contains itself', { typeId: id });
  }

  #visitKind(id: TypeId, throughPointer: boolean): boolean {
    const types = this.#types;
    switch (types.kind(id)) {
      case Kind.PTR: {
        const strong = this.#visit(types.third(id), true);
        this.#states.set(id, ORDERED);
        return strong;
      }
      case Kind.ARRAY:
        return this.#visit(types.elementType(id), false);
      case Kind.STRUCT:
      case Kind.UNION:
        return this.#visitComposite(id, throughPointer);
      case Kind.ENUM:
      case Kind.ENUM64:
      case Kind.FWD:
        // An anonymous enum without references declares constants; any other is printed where it is used.
        if (types.name(id) !== 0 || !this.#referenced.has(id)) this.#queue.push(id);
        this.#states.set(id, ORDERED);
        return true;
      case Kind.TYPEDEF:
        if (!this.#visit(types.third(id), throughPointer) && throughPointer) return false;
        this.#queue.push(id);
        this.#states.set(id, ORDERED);
        return true;
      case Kind.VOLATILE:
      case Kind.CONST:
      case Kind.RESTRICT:
      case Kind.TYPE_TAG:
        return this.#visit(types.third(id), throughPointer);
      case Kind.FUNC_PROTO:
        return this.#visitFuncProto(id, throughPointer);
      default:
        // INT and FLOAT need no definition. FUNC, VAR, DATASEC, DECL_TAG and unknown kinds are not printed.
        this.#states.set(id, ORDERED);
        return false;
    }
  }

  #visitComposite(id: TypeId, throughPointer: boolean): boolean {
    const types = this.#types;
    const named = types.name(id) !== 0;
    if (throughPointer && named) return false;
    this.#states.set(id, ORDERING);
    const first = types.elements(id);
    const end = first + types.vlen(id) * MEMBER_WORDS;
    for (let at = first; at < end; at += MEMBER_WORDS) this.#visit(types.unsignedAt(at + 1), false);
    if (named) this.#queue.push(id);
    this.#states.set(id, ORDERED);
    return true;
  }

  #visitFuncProto(id: TypeId, throughPointer: boolean): boolean {
    const types = this.#types;
    let strong = this.#visit(types.third(id), throughPointer);
    const first = types.elements(id);
    const end = first + types.vlen(id) * PARAM_WORDS;
    for (let at = first; at < end; at += PARAM_WORDS) {
      if (this.#visit(types.unsignedAt(at + 1), throughPointer)) strong = true;
    }
    return strong;
  }
}
