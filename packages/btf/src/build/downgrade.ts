import { type Spec, typesOf } from '../spec.js';
import { HEAD_WORDS, isComposite, kindTest } from '../kind-words.js';
import { Kind, type TypeId } from '../types.js';
import { kindFlagOfInfo, kindOfInfo, vlenOfInfo } from '../words.js';
import { LateTypeTags } from './late-type-tags.js';
import type { MarshalOptions } from './marshal-options.js';
import { PlainNames } from './plain-names.js';
import {
  constOf,
  emptyStructOf,
  Enum64Unions,
  enumOfPrototype,
  intOf,
  structOfSection,
  unsignedEnumOf,
} from './replacements.js';
import type { StringPool } from './string-pool.js';
import { TypeTable } from './type-table.js';

/** The number of modifiers between a bitfield and its type that are followed. Kernels follow 32 references. */
const MAX_MODIFIERS = 32;

/**
 * downgrade replaces types that older kernels do not know, as the options say. Ids stay; placeholders come after all
 * other types. Types of a base stay as they are.
 */
export function downgrade(table: TypeTable, pool: StringPool, options: MarshalOptions): TypeTable {
  if (options.preventNoTypeFound === true && table.count === 0) return withPlaceholder(table.firstTypeId);
  const names = replacesNames(options);
  if (!names && !replacesTypes(options)) return table;
  const rewritten = new TypeTable(table.firstTypeId);
  for (let id = table.firstTypeId; id < table.endTypeId; id++) rewritten.reserve();
  const replacements = new Replacements(table, rewritten, pool, options);
  for (let id = table.firstTypeId; id < table.endTypeId; id++) {
    const start = table.offset(id);
    if (start < 0) continue;
    const replaced = replacements.of(start);
    if (replaced === null) rewritten.define(id, table.words, start);
    else rewritten.define(id, replaced, 0);
  }
  if (names) {
    const { plainNames } = replacements;
    for (let id = rewritten.firstTypeId; id < rewritten.endTypeId; id++) {
      if (rewritten.offset(id) >= 0) plainNames.replace(rewritten.words, rewritten.offset(id));
    }
  }
  return rewritten;
}

/**
 * isDowngraded reports whether the options replace anything in BTF. It does not look at names, so it is true if these are
 * to be replaced.
 */
export function isDowngraded(spec: Spec, options: MarshalOptions): boolean {
  if (replacesNames(options)) return true;
  if (!replacesTypes(options)) return false;
  const { source, offsets } = typesOf(spec);
  const kindOf = (id: number): number => {
    const offset = offsets[id - spec.firstTypeId];
    return offset === undefined ? 0 : kindOfInfo(source.words.i32(offset + 4));
  };
  return offsets.some((offset) => {
    const info = source.words.i32(offset + 4);
    if (isReplaced(info, options)) return true;
    if (options.skipLateTypeTags !== true || !isQualifier(kindOfInfo(info))) return false;
    return kindOf(source.words.u32(offset + 8)) === Kind.TYPE_TAG;
  });
}

function replacesNames({ shortenNames, replaceDots, replaceSectionNames }: MarshalOptions): boolean {
  return [shortenNames, replaceDots, replaceSectionNames].includes(true);
}

function replacesTypes(options: MarshalOptions): boolean {
  return [
    options.replaceFunctions,
    options.replaceSections,
    options.stripFuncLinkage,
    options.replaceEmptySections,
    options.replaceFloats,
    options.replaceDeclTags,
    options.replaceTypeTags,
    options.replaceEnum64,
    options.replaceTagAttributes,
    options.skipLateTypeTags,
  ].includes(true);
}

/** Whether a type with this info word is replaced, whatever it refers to. */
function isReplaced(info: number, options: MarshalOptions): boolean {
  const flagged = kindFlagOfInfo(info);
  switch (kindOfInfo(info)) {
    case Kind.FUNC_PROTO:
      return options.replaceFunctions === true;
    case Kind.FUNC:
      return (
        options.replaceFunctions === true || (options.stripFuncLinkage === true && vlenOfInfo(info) !== 0)
      );
    case Kind.VAR:
      return options.replaceSections === true;
    case Kind.DATASEC:
      return (
        options.replaceSections === true || (options.replaceEmptySections === true && vlenOfInfo(info) === 0)
      );
    case Kind.FLOAT:
      return options.replaceFloats === true;
    case Kind.DECL_TAG:
      return options.replaceDeclTags === true || (options.replaceTagAttributes === true && flagged);
    case Kind.TYPE_TAG:
      return options.replaceTypeTags === true || (options.replaceTagAttributes === true && flagged);
    case Kind.ENUM:
      return options.replaceEnum64 === true && flagged;
    case Kind.ENUM64:
      return options.replaceEnum64 === true;
    default:
      return false;
  }
}

const isModifier = /* @__PURE__ */ kindTest(({ alias }) => alias);

/** Whether a kind is a modifier other than a type tag. */
function isQualifier(kind: number): boolean {
  return isModifier(kind) && kind !== Kind.TYPE_TAG;
}

/** A table with one type, for BTF without types. */
function withPlaceholder(firstTypeId: TypeId): TypeTable {
  const table = new TypeTable(firstTypeId);
  table.append(Int32Array.of(0, Kind.INT << 24, 0, 0), 0);
  return table;
}

/** Replacements makes the types that take the place of others. */
class Replacements {
  readonly plainNames: PlainNames;
  readonly #table: TypeTable;
  readonly #pool: StringPool;
  readonly #options: MarshalOptions;
  readonly #unions: Enum64Unions;
  readonly #tags: LateTypeTags;

  constructor(table: TypeTable, rewritten: TypeTable, pool: StringPool, options: MarshalOptions) {
    this.plainNames = new PlainNames(pool, options);
    this.#table = table;
    this.#pool = pool;
    this.#options = options;
    this.#unions = new Enum64Unions(rewritten, pool);
    this.#tags = new LateTypeTags(table);
  }

  /** of returns the replacement for a type; null if the type stays as it is. */
  of(start: number): Int32Array | null {
    const { words } = this.#table;
    const [name = 0, info = 0, third = 0] = words.subarray(start, start + 3);
    if (!isReplaced(info, this.#options)) {
      return isComposite(kindOfInfo(info))
        ? this.#withoutEnum64Bitfields(start)
        : this.#withoutTags(name, info, third);
    }
    switch (kindOfInfo(info)) {
      case Kind.FUNC_PROTO:
        return enumOfPrototype(words, start, this.#pool);
      case Kind.FUNC: {
        const kind = this.#options.replaceFunctions === true ? Kind.TYPEDEF : Kind.FUNC;
        return Int32Array.of(name, kind << 24, third);
      }
      case Kind.VAR:
        return intOf(name, 1, 0);
      case Kind.DATASEC:
        return structOfSection(this.#table, start, this.plainNames);
      case Kind.FLOAT:
        return emptyStructOf(0, third);
      case Kind.DECL_TAG:
        return intOf(this.#pool.internText('decl_tag_placeholder'), 1, 0);
      case Kind.TYPE_TAG:
        // A CONST must not come before type tags, unless there are none.
        return constOf(this.#options.replaceTypeTags === true ? third : this.#tags.after(third));
      case Kind.ENUM:
        return unsignedEnumOf(words, start);
      case Kind.ENUM64:
        return this.#unions.unionOf(words, start);
      default:
        return null;
    }
  }

  /** A STRUCT or UNION without bitfields of ENUM64s: a UNION, which replaces an ENUM64, cannot be a bitfield. */
  #withoutEnum64Bitfields(start: number): Int32Array | null {
    const { words } = this.#table;
    const info = words[start + 1] ?? 0;
    if (this.#options.replaceEnum64 !== true || !kindFlagOfInfo(info)) return null;
    const copy = words.slice(start, start + HEAD_WORDS + 3 * vlenOfInfo(info));
    let changed = false;
    for (let at = HEAD_WORDS; at < copy.length; at += 3) {
      const isBitfield = (copy[at + 2] ?? 0) >>> 24 !== 0;
      const enumStart = isBitfield ? this.#enum64Start(copy[at + 1] ?? 0) : -1;
      if (enumStart < 0) continue;
      copy[at + 1] = this.#unions.placeholderOf(words, enumStart);
      changed = true;
    }
    return changed ? copy : null;
  }

  /** Returns where the ENUM64 starts that a type is, or stands for by typedefs and qualifiers; -1 for other types. */
  #enum64Start(id: TypeId): number {
    const { words } = this.#table;
    let target = id;
    for (let followed = 0; followed < MAX_MODIFIERS && isModifier(this.#table.kind(target)); followed++) {
      target = (words[this.#table.offset(target) + 2] ?? 0) >>> 0;
    }
    return this.#table.kind(target) === Kind.ENUM64 ? this.#table.offset(target) : -1;
  }

  /** A qualifier or typedef that refers to the type after the type tags. */
  #withoutTags(name: number, info: number, third: number): Int32Array | null {
    if (this.#options.skipLateTypeTags !== true || !isQualifier(kindOfInfo(info))) return null;
    const target = this.#tags.after(third);
    return target === third ? null : Int32Array.of(name, info, target);
  }
}
