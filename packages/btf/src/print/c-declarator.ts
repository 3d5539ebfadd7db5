import { BtfFormatError } from '../format-error.js';
import { qualifies } from '../query/resolve.js';
import { Kind, type TypeId } from '../types.js';
import { type CNameContext, type Define, writeNumbered, writeTag } from './c-context.js';
import { PARAM_WORDS } from './type-words.js';

interface Declaration {
  readonly name: number;
  readonly number: number;
  readonly level: number;
  readonly isParam: boolean;
}

/**
 * CDeclarator writes declarations: a type with a name in it, `const char *(*names[2])(void)`.
 *
 * BTF goes from the name to the type (array of pointers to functions…), while C starts with the type at the end. So the
 * chain of references is pushed on a stack and written from its top.
 */
export class CDeclarator {
  readonly #context: CNameContext;
  readonly #define: Define;
  /**
   * The chains that are being written. A chain within another, such as that of a member of an anonymous struct, lies
   * above it.
   */
  readonly #stack: TypeId[] = [];
  #top = 0;
  /** The lowest index of the chain that is being written. */
  #bottom = 0;
  #level = 0;
  /** Whether the chain is that of a parameter. */
  #isParam = false;

  /** @param define writes anonymous types, in place. */
  constructor(context: CNameContext, define: Define) {
    this.#context = context;
    this.#define = define;
  }

  /**
   * declare writes a declaration without the semicolon.
   *
   * @param name offset of the name in the string section; 0 for the type alone.
   * @param number 1, or the number to append to the name.
   * @param level the indentation of the line in which the declaration starts.
   */
  declare(id: TypeId, name: number, number: number, level: number): void {
    this.#declare(id, { name, number, level, isParam: false });
  }

  #declare(id: TypeId, { name, number, level, isParam }: Declaration): void {
    const bottom = this.#bottom;
    const levelAround = this.#level;
    const isParamAround = this.#isParam;
    this.#bottom = this.#top;
    this.#level = level;
    this.#isParam = isParam;
    this.#push(id);
    this.#writeChain(name, number);
    this.#bottom = bottom;
    this.#level = levelAround;
    this.#isParam = isParamAround;
  }

  /** refer writes the keyword and name of a struct, union or enum, without its body. */
  refer(id: TypeId): void {
    this.#context.out.write(this.#context.types.keyword(id) ?? '');
    writeTag(this.#context, id);
  }

  #push(first: TypeId): void {
    const { types, work, qualified } = this.#context;
    for (let id = first; ; work.step(id)) {
      const kind = types.kind(id);
      if (qualified || !qualifies(kind)) {
        this.#stack[this.#top] = id;
        this.#top += 1;
      }
      switch (kind) {
        case Kind.PTR:
        case Kind.VOLATILE:
        case Kind.CONST:
        case Kind.RESTRICT:
        case Kind.FUNC_PROTO:
        case Kind.TYPE_TAG:
          id = types.third(id);
          break;
        case Kind.ARRAY:
          id = types.elementType(id);
          break;
        default:
          return;
      }
    }
  }

  #pop(): TypeId {
    this.#top -= 1;
    return this.#stack[this.#top] ?? 0;
  }

  /** The kind of the next type in the chain; -1 at its end. */
  #nextKind(): number {
    return this.#top > this.#bottom ? this.#context.types.kind(this.#stack[this.#top - 1] ?? 0) : -1;
  }

  #writeChain(name: number, number: number): void {
    const { types, out, work } = this.#context;
    // A star joins the star before it, `**`, and the parenthesis that it starts in, `(*`. Otherwise a space separates
    // it.
    let afterStar = true;
    while (this.#top > this.#bottom) {
      const id = this.#pop();
      const kind = types.kind(id);
      switch (kind) {
        case Kind.PTR:
          out.write(afterStar ? '*' : ' *');
          break;
        case Kind.VOLATILE:
          out.write(' volatile');
          break;
        case Kind.CONST:
          out.write(' const');
          break;
        case Kind.RESTRICT:
          out.write(' restrict');
          break;
        case Kind.ARRAY:
        case Kind.FUNC_PROTO:
          work.enter(id);
          if (kind === Kind.ARRAY) this.#writeArray(id, name, number, afterStar);
          else this.#writeFuncProto(id, name, number, afterStar);
          work.leave();
          return;
        default:
          this.#writeQualifiers();
          this.#writeType(id, kind);
          break;
      }
      afterStar = kind === Kind.PTR;
    }
    this.#writeName(name, number, afterStar);
  }

  /** Writes the type at the end of the chain. */
  #writeType(id: TypeId, kind: number): void {
    const { types, names, out } = this.#context;
    switch (kind) {
      case Kind.VOID:
        out.write('void');
        break;
      case Kind.INT:
      case Kind.FLOAT:
        this.#writeBaseType(id);
        break;
      case Kind.TYPEDEF:
        writeNumbered(this.#context, types.name(id), names.ofTypedef(id));
        break;
      case Kind.STRUCT:
      case Kind.UNION:
      case Kind.ENUM:
      case Kind.ENUM64:
        if (this.#writesInteger(id, kind)) break;
        if (types.name(id) === 0) this.#define(id, this.#level);
        else this.refer(id);
        break;
      case Kind.FWD:
        this.refer(id);
        break;
      case Kind.TYPE_TAG:
        out.write(types.kindFlag(id) ? ' __attribute__((' : ' __attribute__((btf_type_tag("');
        out.writeInLine(types.name(id), !types.kindFlag(id));
        out.write(types.kindFlag(id) ? '))' : '")))');
        break;
      default:
        throw new BtfFormatError('MALFORMED', `a declaration cannot have a type of kind ${kind}`, {
          typeId: id,
        });
    }
  }

  #writeBaseType(id: TypeId): void {
    const { types, names, out, compiler } = this.#context;
    const name = types.name(id);
    const base = compiler?.baseTypes.of(id);
    if (base === undefined || base.isKnown) out.writeName(name);
    else if (name === 0) out.write(base.standIn);
    else writeNumbered(this.#context, name, names.ofTypedef(id));
  }

  /** Writes an integer for an object of an enum that C cannot define. Pointers and functions can name such an enum. */
  #writesInteger(id: TypeId, kind: number): boolean {
    const { out, compiler } = this.#context;
    if (compiler === null || (kind !== Kind.ENUM && kind !== Kind.ENUM64)) return false;
    const next = this.#nextKind();
    const hasName = this.#context.types.name(id) !== 0;
    if (hasName && (this.#isParam || next === Kind.PTR || next === Kind.FUNC_PROTO)) return false;
    const integer = compiler.layouts.integerOf(id);
    if (integer !== null) out.write(integer);
    return integer !== null;
  }

  /** Writes the qualifiers of the type that was popped last. Before a type, qualifiers are on its left. */
  #writeQualifiers(): void {
    const { out } = this.#context;
    for (;;) {
      switch (this.#nextKind()) {
        case Kind.VOLATILE:
          out.write('volatile ');
          break;
        case Kind.CONST:
          out.write('const ');
          break;
        case Kind.RESTRICT:
          out.write('restrict ');
          break;
        default:
          return;
      }
      this.#pop();
    }
  }

  /** Drops qualifiers of an array or a function. GCC makes them from those of the elements and from `noreturn`. */
  #dropQualifiers(): void {
    while (qualifies(this.#nextKind())) this.#pop();
  }

  #writeArray(id: TypeId, name: number, number: number, afterStar: boolean): void {
    const { types, out } = this.#context;
    this.#dropQualifiers();
    const next = this.#nextKind();
    if (next === -1) {
      this.#writeName(name, number, afterStar);
    } else {
      if (name !== 0 && !afterStar) out.write(' ');
      if (next !== Kind.ARRAY) out.write('(');
      this.#writeChain(name, number);
      if (next !== Kind.ARRAY) out.write(')');
    }
    out.write('[');
    out.writeNumber(types.arrayLength(id));
    out.write(']');
  }

  #writeFuncProto(id: TypeId, name: number, number: number, afterStar: boolean): void {
    const { out } = this.#context;
    this.#dropQualifiers();
    if (this.#nextKind() === -1) {
      this.#writeName(name, number, afterStar);
    } else {
      out.write(' (');
      this.#writeChain(name, number);
      out.write(')');
    }
    out.write('(');
    this.#writeParams(id);
    out.write(')');
  }

  #writeParams(id: TypeId): void {
    const { types, out } = this.#context;
    const count = types.vlen(id);
    const first = types.elements(id);
    // Clang writes a parameter of type void for a function without parameters.
    if (count === 0 || (count === 1 && types.at(first + 1) === 0)) {
      out.write('void');
      return;
    }
    const last = first + (count - 1) * PARAM_WORDS;
    for (let at = first; at <= last; at += PARAM_WORDS) {
      if (at > first) out.write(', ');
      const typeId = types.unsignedAt(at + 1);
      if (at === last && typeId === 0) out.write('...');
      else
        this.#declare(typeId, { name: types.unsignedAt(at), number: 1, level: this.#level, isParam: true });
    }
  }

  #writeName(name: number, number: number, afterStar: boolean): void {
    if (name === 0) return;
    if (!afterStar) this.#context.out.write(' ');
    writeNumbered(this.#context, name, number);
  }
}
