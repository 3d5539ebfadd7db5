import type { Spec } from '../spec.js';
import { Kind, type TypeId } from '../types.js';
import { LayoutNames } from './layout-names.js';
import type { TextOutput } from './text-output.js';
import { formatTypeName, memberDeclaration } from './type-name.js';
import { ENUM64_WORDS, ENUM_WORDS, MEMBER_WORDS, type TypeWords, typeWordsOf } from './type-words.js';
import type { WorkLimit } from './work-limit.js';

/** Scope is the place of a declaration in the text and in the outermost type. */
export interface Scope {
  readonly level: number;
  readonly typeColumns: number;
  readonly nameColumns: number;
  /** Bytes from the start of the outermost type. */
  readonly start: number;
  /** Whether offsets count from the start of the type itself, because a pointer leads to it. */
  readonly isRelative: boolean;
  readonly isInUnion: boolean;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/** Declared is the name that a declaration ends with. */
export interface Declared {
  /** `* ` for a pointer to an anonymous type. */
  readonly star: '' | '* ';
  /** Offset in the string section; 0 for none. */
  readonly name: number;
}

export const NO_NAME: Declared = { star: '', name: 0 };

/** DefineType writes an anonymous struct or union with its members. */
export type DefineType = (id: TypeId, scope: Scope, declared: Declared) => void;

/** The columns that each level of anonymous types has less than the one around it. */
const LEVEL_COLUMNS = 8;

/** Bytes of an enum without attributes. */
const ENUM_SIZE = 4;

/** LayoutDeclarator writes the declarations of members, with the members of anonymous types, as pahole 1.32 does. */
export class LayoutDeclarator {
  readonly #spec: Spec;
  readonly #types: TypeWords;
  readonly #out: TextOutput;
  readonly #work: WorkLimit;
  readonly #names: LayoutNames;
  readonly #define: DefineType;

  constructor(spec: Spec, out: TextOutput, work: WorkLimit, define: DefineType) {
    this.#spec = spec;
    this.#types = typeWordsOf(spec);
    this.#out = out;
    this.#work = work;
    this.#names = new LayoutNames(this.#types, out, work);
    this.#define = define;
  }

  /** isAnonymous reports whether a type is a struct, union or enum without a name. */
  isAnonymous(id: TypeId): boolean {
    return this.#types.keyword(id) !== null && this.#types.name(id) === 0;
  }

  /** unqualified returns the type that qualifiers and tags are on. */
  unqualified(id: TypeId): TypeId {
    return this.#names.unqualified(id);
  }

  /**
   * writeMember writes the declaration of a member, without the width of a bitfield.
   *
   * @returns the length of the name.
   */
  writeMember(compositeId: TypeId, index: number, scope: Scope): number {
    const at = this.#types.elements(compositeId) + index * MEMBER_WORDS;
    const name = this.#types.unsignedAt(at);
    const typeId = this.#types.unsignedAt(at + 1);
    if (this.isAnonymous(this.#names.unqualified(typeId))) {
      this.write(typeId, NO_NAME, scope);
      if (name !== 0) this.#out.write(' ');
      const start = this.#out.length;
      this.#out.writeName(name);
      return this.#out.length - start;
    }
    if (this.#names.isPlain(typeId)) this.write(typeId, { star: '', name }, scope);
    else this.#writeAsC(compositeId, index, typeId, scope);
    return 0;
  }

  /** write writes the declaration of a name, whose type must be plain: {@link LayoutNames.isPlain}. */
  write(id: TypeId, declared: Declared, scope: Scope): void {
    this.#work.enter(id);
    this.#writeKind(id, declared, scope);
    this.#work.leave();
  }

  #writeKind(id: TypeId, declared: Declared, scope: Scope): void {
    const types = this.#types;
    switch (types.kind(id)) {
      case Kind.TYPE_TAG:
        this.write(types.third(id), declared, scope);
        break;
      case Kind.CONST:
        if (this.#isConstArray(types.third(id))) this.write(types.third(id), declared, scope);
        else this.#writeQualified('const ', id, declared, scope);
        break;
      case Kind.VOLATILE:
        if (this.isAnonymous(this.unqualified(id))) this.#writeQualified('volatile ', id, declared, scope);
        else this.#writeNamed(id, declared, scope);
        break;
      case Kind.ARRAY:
        this.#writeArray(id, declared, scope);
        break;
      case Kind.PTR:
        this.#writePointer(id, declared, scope);
        break;
      default:
        if (this.isAnonymous(id)) this.#writeAnonymous(id, declared, scope);
        else this.#writeNamed(id, declared, scope);
    }
  }

  #writeQualified(qualifier: string, id: TypeId, declared: Declared, scope: Scope): void {
    this.#out.write(qualifier);
    const typeColumns = scope.typeColumns - qualifier.length;
    this.write(this.#types.third(id), declared, { ...scope, typeColumns });
  }

  /** Whether a flexible array repeats the qualifier of its elements. pahole repeats that of other arrays. */
  #isConstArray(id: TypeId): boolean {
    const types = this.#types;
    if (types.kind(id) !== Kind.ARRAY || types.arrayLength(id) > 0) return false;
    return types.kind(types.elementType(id)) === Kind.CONST;
  }

  #writePointer(id: TypeId, declared: Declared, scope: Scope): void {
    const target = this.#names.skipTags(this.#types.third(id));
    if (this.#types.kind(target) === Kind.FUNC_PROTO) {
      this.#names.writeFunction(target, declared.name, Math.abs(scope.typeColumns));
    } else if (this.isAnonymous(target)) {
      const typeColumns = scope.typeColumns - LEVEL_COLUMNS;
      const inner = { ...scope, typeColumns, isRelative: true };
      this.#writeAnonymous(target, { star: '* ', name: declared.name }, inner);
    } else {
      this.#writeNamed(id, declared, scope);
    }
  }

  #writeArray(id: TypeId, declared: Declared, scope: Scope): void {
    const lengths: number[] = [];
    let element = id;
    for (; this.#types.kind(element) === Kind.ARRAY; this.#work.step(element)) {
      lengths.push(this.#types.arrayLength(element));
      element = this.#types.elementType(element);
    }
    this.write(element, declared, scope);
    // Only the last of several members of a struct can be a flexible array.
    const isFlexible = scope.isLast && !scope.isFirst && !scope.isInUnion;
    for (const length of lengths) this.#out.write(length === 0 && isFlexible ? '[]' : `[${length}]`);
  }

  #writeAnonymous(id: TypeId, declared: Declared, scope: Scope): void {
    if (this.#types.keyword(id) === 'enum') this.#writeEnum(id, declared, scope);
    else this.#define(id, { ...scope, typeColumns: scope.typeColumns - LEVEL_COLUMNS }, declared);
  }

  #writeNamed(id: TypeId, { name }: Declared, { typeColumns }: Scope): void {
    const out = this.#out;
    const keyword = this.#types.keyword(id);
    const start = out.length;
    this.#names.write(id);
    // A negative number of columns is as many as its absolute value, as in printf.
    const keywordColumns = keyword === null ? 0 : keyword.length + 1;
    this.#names.padTo(start + keywordColumns + Math.abs(typeColumns - keywordColumns));
    out.write(' ');
    out.writeName(name);
  }

  #writeEnum(id: TypeId, { star, name }: Declared, { level }: Scope): void {
    const types = this.#types;
    const out = this.#out;
    const type = this.#spec.typeById(id);
    if (type.kind !== 'ENUM' && type.kind !== 'ENUM64') return;
    const words = type.kind === 'ENUM' ? ENUM_WORDS : ENUM64_WORDS;
    const columns = type.values.reduce((widest, value) => Math.max(widest, value.name.length), 0);
    out.write('enum {\n');
    for (const [index, { value }] of type.values.entries()) {
      out.write('\t'.repeat(level + 1));
      const start = out.length;
      out.writeName(types.unsignedAt(types.elements(id) + index * words));
      this.#names.padTo(start + columns);
      out.write(` = ${value},\n`);
    }
    out.write(`${'\t'.repeat(level)}}`);
    if (type.size !== ENUM_SIZE) out.write(' __attribute__((__packed__))');
    if (star === '' && name === 0) return;
    out.write(` ${star}`);
    out.writeName(name);
  }

  /** Writes a declaration that has parts of the type on both sides of the name. */
  #writeAsC(compositeId: TypeId, index: number, typeId: TypeId, { typeColumns }: Scope): void {
    const out = this.#out;
    const declaration = memberDeclaration(this.#spec, compositeId, index);
    const left = leftPart(formatTypeName(this.#spec, typeId), declaration);
    const start = out.length;
    out.writeText(left.trimEnd());
    this.#names.padTo(start + Math.abs(typeColumns));
    out.writeText(` ${declaration.slice(left.length).trimStart()}`);
  }
}

/** Returns the common part of a type and a declaration with it, before the name. */
function leftPart(type: string, declaration: string): string {
  let length = 0;
  while (length < type.length && type[length] === declaration[length]) length += 1;
  const open = type.slice(0, length).search(/\((?:[*( ]|const|volatile|restrict)*$/);
  return type.slice(0, open === -1 ? length : open);
}
