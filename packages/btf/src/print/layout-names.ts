import { qualifies } from '../query/resolve.js';
import { Kind, type TypeId } from '../types.js';
import type { TextOutput } from './text-output.js';
import { PARAM_WORDS, type TypeWords } from './type-words.js';
import type { WorkLimit } from './work-limit.js';

/**
 * LayoutNames writes a type alone, without the name that is declared with it, as pahole 1.32 does. The spaces differ from
 * those of `CDeclarator`: there is one before each star, and one after a qualified type.
 */
export class LayoutNames {
  readonly #types: TypeWords;
  readonly #out: TextOutput;
  readonly #work: WorkLimit;

  constructor(types: TypeWords, out: TextOutput, work: WorkLimit) {
    this.#types = types;
    this.#out = out;
    this.#work = work;
  }

  /**
   * isPlain reports whether {@link write}, and a name with the lengths of arrays after it, state the type of a member.
   * Otherwise parts of the type are around the name, or a qualifier is on the right of a star. pahole prints such types
   * wrongly.
   */
  isPlain(id: TypeId): boolean {
    let at = id;
    let isArray = false;
    for (; ; this.#work.step(at)) {
      switch (this.#types.kind(at)) {
        case Kind.ARRAY:
          isArray = true;
          at = this.#types.elementType(at);
          break;
        case Kind.TYPE_TAG:
          at = this.#types.third(at);
          break;
        case Kind.PTR: {
          const target = this.skipTags(this.#types.third(at));
          if (this.#types.kind(target) === Kind.FUNC_PROTO) return !isArray && this.#isPlainFunction(target);
          return this.#isPlainName(at);
        }
        case Kind.CONST:
          if (this.#qualifiesPointer(at)) return false;
          at = this.#types.third(at);
          break;
        case Kind.VOLATILE:
        case Kind.RESTRICT:
          if (this.#types.kind(this.unqualified(at)) === Kind.ARRAY) return false;
          return this.#isPlainName(at);
        default:
          return this.#isPlainName(at);
      }
    }
  }

  /** write writes a type, from left to right. */
  write(id: TypeId): void {
    const types = this.#types;
    const out = this.#out;
    this.#work.enter(id);
    switch (types.kind(id)) {
      case Kind.VOID:
        out.write('void');
        break;
      case Kind.PTR:
        this.#writePointer(types.third(id));
        break;
      case Kind.CONST:
        out.write('const ');
        this.write(types.third(id));
        out.write(' ');
        break;
      case Kind.VOLATILE:
        out.write('volatile ');
        this.write(types.third(id));
        out.write(' ');
        break;
      case Kind.RESTRICT:
        this.write(types.third(id));
        out.write(' restrict ');
        break;
      case Kind.TYPE_TAG:
        this.write(types.third(id));
        break;
      default: {
        const keyword = types.keyword(id);
        if (keyword !== null) out.write(`${keyword} `);
        if (keyword !== null && types.name(id) === 0) out.write('{ ... }');
        else out.writeName(types.name(id));
      }
    }
    this.#work.leave();
  }

  /** writeFunction writes a pointer to a function, with its name. The type that it returns takes some columns. */
  writeFunction(proto: TypeId, name: number, columns: number): void {
    const types = this.#types;
    const out = this.#out;
    this.#work.enter(proto);
    const start = out.length;
    this.write(types.third(proto));
    this.padTo(start + columns);
    out.write(' (*');
    out.writeName(name);
    out.write(')(');
    const count = types.vlen(proto);
    for (let index = 0; index < count; index++) {
      if (index > 0) out.write(', ');
      const at = types.elements(proto) + index * PARAM_WORDS;
      this.#writeParam(types.unsignedAt(at + 1), types.unsignedAt(at), index);
    }
    out.write(count === 0 ? 'void)' : ')');
    this.#work.leave();
  }

  skipTags(id: TypeId): TypeId {
    let at = id;
    for (; this.#types.kind(at) === Kind.TYPE_TAG; this.#work.step(at)) at = this.#types.third(at);
    return at;
  }

  /** unqualified returns the type that qualifiers and tags are on. */
  unqualified(id: TypeId): TypeId {
    let at = id;
    for (; qualifies(this.#types.kind(at)); this.#work.step(at)) at = this.#types.third(at);
    return at;
  }

  /** padTo writes spaces up to a length of the text. */
  padTo(length: number): void {
    this.#out.write(' '.repeat(Math.max(0, length - this.#out.length)));
  }

  /** Writes a pointer. A `const` between two stars is on the left of the second. */
  #writePointer(target: TypeId): void {
    const types = this.#types;
    const inner = types.kind(target) === Kind.CONST ? types.third(target) : 0;
    const isConst = types.kind(inner) === Kind.PTR;
    this.write(isConst ? inner : target);
    this.#out.write(isConst ? ' const *' : ' *');
  }

  #writeParam(typeId: TypeId, name: number, index: number): void {
    const out = this.#out;
    // A function without parameters may have one of type void.
    if (typeId === 0) return out.write(index === 0 ? 'void' : '...');
    const proto = this.#functionOf(typeId);
    if (proto !== null) return this.writeFunction(proto, name, 0);
    this.write(typeId);
    if (name === 0) return;
    out.write(' ');
    out.writeName(name);
  }

  /** Returns the function that a pointer leads to; null for any other type. */
  #functionOf(id: TypeId): TypeId | null {
    if (this.#types.kind(id) !== Kind.PTR) return null;
    const target = this.skipTags(this.#types.third(id));
    return this.#types.kind(target) === Kind.FUNC_PROTO ? target : null;
  }

  #isPlainFunction(proto: TypeId): boolean {
    const types = this.#types;
    this.#work.enter(proto);
    let isPlain = this.#isPlainName(types.third(proto));
    const first = types.elements(proto);
    for (let index = 0; isPlain && index < types.vlen(proto); index++) {
      const typeId = types.unsignedAt(first + index * PARAM_WORDS + 1);
      const inner = this.#functionOf(typeId);
      isPlain = inner === null ? this.#isPlainName(typeId) : this.#isPlainFunction(inner);
    }
    this.#work.leave();
    return isPlain;
  }

  #isPlainName(id: TypeId): boolean {
    let at = id;
    let isAfterStar = false;
    for (; ; this.#work.step(at)) {
      const kind = this.#types.kind(at);
      switch (kind) {
        case Kind.ARRAY:
        case Kind.FUNC_PROTO:
          return false;
        case Kind.CONST:
        case Kind.VOLATILE: {
          const isBetweenStars =
            isAfterStar && kind === Kind.CONST && this.#types.kind(this.#types.third(at)) === Kind.PTR;
          if (this.#qualifiesPointer(at) && !isBetweenStars) return false;
          break;
        }
        case Kind.PTR:
        case Kind.RESTRICT:
        case Kind.TYPE_TAG:
          break;
        default:
          return true;
      }
      isAfterStar = kind === Kind.PTR;
      at = this.#types.third(at);
    }
  }

  /** Whether a qualifier is that of a pointer. C writes it on the right of the star. */
  #qualifiesPointer(id: TypeId): boolean {
    return this.#types.kind(this.unqualified(id)) === Kind.PTR;
  }
}
