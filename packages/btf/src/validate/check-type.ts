import { HEAD_WORDS, KIND_ROWS } from '../kind-words.js';
import { Kind, type TypeId } from '../types.js';
import { kindFlagOfInfo, vlenOfInfo } from '../words.js';
import { acceptsKind, type KernelFeatures } from '../kernel/kernel-features.js';
import type { NameRules } from './name-rules.js';
import type { ProblemList } from './problem.js';
import type { RawTypes } from './raw-types.js';

/** The largest type id (BTF_MAX_TYPE). */
export const MAX_TYPE = 0xfffff;

/** The bits of the info word that had a meaning before Linux 7.2 (BTF_INFO_MASK). */
const NARROW_INFO_MASK = 0x9f00ffff;

/** The same before FLOAT, when kinds had 4 bits. */
const NARROWEST_INFO_MASK = 0x8f00ffff;

/** The bits of an INT's own word that have a meaning (BTF_INT_MASK). */
const INT_MASK = 0x0fffffff;

/** The kind has 7 bits in the info word. */
const MAX_KINDS = 128;

const KIND_FLAG = 'Invalid btf_info kind_flag';

/** TypeCheck checks types one by one, without the types that they refer to: the kernel's first pass. */
export class TypeCheck {
  readonly #types: RawTypes;
  readonly #words: Int32Array;
  readonly #names: NameRules;
  readonly #features: KernelFeatures;
  readonly #problems: ProblemList;
  readonly #infoMask: number;
  /** 1 for the kinds that the kernel accepts. */
  readonly #accepted: Uint8Array;

  constructor(types: RawTypes, names: NameRules, features: KernelFeatures, problems: ProblemList) {
    this.#types = types;
    this.#words = types.words;
    this.#names = names;
    this.#features = features;
    this.#problems = problems;
    this.#infoMask = infoMask(features);
    this.#accepted = Uint8Array.from({ length: MAX_KINDS }, (_, kind) =>
      acceptsKind(features, kind) ? 1 : 0,
    );
  }

  check(id: TypeId): void {
    const kind = this.#types.kind(id);
    const at = this.#types.start(id);
    const info = this.#words[at + 1] ?? 0;
    if ((info & ~this.#infoMask) !== 0) {
      this.#problems.add(id, `Invalid btf_info:${(info >>> 0).toString(16)}`);
      return;
    }
    if (this.#accepted[kind] !== 1) {
      this.#problems.add(id, `Invalid kind:${kind}`);
      return;
    }
    const nameOffset = this.#word(at);
    if (!this.#names.isOffset(nameOffset)) {
      this.#problems.add(id, `Invalid name_offset:${nameOffset}`);
      return;
    }
    if (vlenOfInfo(info) !== 0 && !hasVlen(kind)) this.#problems.add(id, 'vlen != 0');
    if (kindFlagOfInfo(info) && !this.#mayHaveKindFlag(kind)) this.#problems.add(id, KIND_FLAG);
    this.#checkName(id, kind, nameOffset);
    this.#checkOwn(id, kind, at, info);
  }

  #mayHaveKindFlag(kind: number): boolean {
    switch (kind) {
      case Kind.STRUCT:
      case Kind.UNION:
      case Kind.FWD:
      case Kind.ENUM64:
        return true;
      case Kind.ENUM:
        return this.#features.enum64;
      case Kind.DECL_TAG:
      case Kind.TYPE_TAG:
        return this.#features.tagAttributes;
      default:
        return false;
    }
  }

  #checkName(id: TypeId, kind: number, offset: number): void {
    const names = this.#names;
    switch (kind) {
      case Kind.TYPEDEF:
      case Kind.FWD:
      case Kind.FUNC:
        if (offset === 0 || !names.isIdentifier(offset)) this.#problems.add(id, 'Invalid name');
        return;
      case Kind.VAR:
        if (offset === 0 || !names.isVariableName(offset)) this.#problems.add(id, 'Invalid name');
        return;
      case Kind.STRUCT:
      case Kind.UNION:
      case Kind.ENUM:
      case Kind.ENUM64:
        if (offset !== 0 && !names.isIdentifier(offset)) this.#problems.add(id, 'Invalid name');
        return;
      case Kind.DATASEC:
        if (offset === 0 || !names.isSectionName(offset)) this.#problems.add(id, 'Invalid name');
        return;
      case Kind.TYPE_TAG:
        if (names.isEmpty(offset)) this.#problems.add(id, 'Invalid name');
        return;
      case Kind.DECL_TAG:
        if (names.isEmpty(offset)) this.#problems.add(id, 'Invalid value');
        return;
      case Kind.INT:
      case Kind.FLOAT:
        // Any name, or none.
        return;
      default:
        if (offset !== 0) this.#problems.add(id, 'Invalid name');
    }
  }

  /** Returns a word, unsigned. */
  #word(at: number): number {
    return (this.#words[at] ?? 0) >>> 0;
  }

  /** @param at the index of the type's first word. */
  #checkOwn(id: TypeId, kind: number, at: number, info: number): void {
    switch (kind) {
      case Kind.INT:
        this.#checkInt(id, at);
        return;
      case Kind.ARRAY:
        this.#checkArray(id, at);
        return;
      case Kind.STRUCT:
      case Kind.UNION:
        this.#checkMembers(id, at, info, kind === Kind.UNION);
        return;
      case Kind.ENUM:
      case Kind.ENUM64:
        this.#checkValues(id, at, vlenOfInfo(info), kind === Kind.ENUM ? 2 : 3);
        return;
      case Kind.FWD:
        if (this.#word(at + 2) !== 0) this.#problems.add(id, 'type != 0');
        return;
      case Kind.FUNC:
        if (vlenOfInfo(info) > (this.#features.funcLinkage ? 1 : 0)) {
          this.#problems.add(id, 'Invalid func linkage');
        }
        return;
      case Kind.FUNC_PROTO:
        return;
      case Kind.VAR:
        this.#checkVar(id, at);
        return;
      case Kind.DATASEC:
        this.#checkSection(id, at, vlenOfInfo(info));
        return;
      case Kind.FLOAT:
        if (![2, 4, 8, 12, 16].includes(this.#word(at + 2))) this.#problems.add(id, 'Invalid type_size');
        return;
      case Kind.DECL_TAG:
        if ((this.#words[at + HEAD_WORDS] ?? 0) < -1) this.#problems.add(id, 'Invalid component_idx');
        return;
      default:
        if (this.#word(at + 2) > MAX_TYPE) this.#problems.add(id, 'Invalid type_id');
    }
  }

  #checkInt(id: TypeId, at: number): void {
    const word = this.#word(at + HEAD_WORDS);
    if ((word & ~INT_MASK) !== 0) {
      this.#problems.add(id, `Invalid int_data:${word.toString(16)}`);
      return;
    }
    const bits = (word & 0xff) + ((word >>> 16) & 0xff);
    if (bits > 128) this.#problems.add(id, 'nr_bits exceeds 128');
    else if (Math.ceil(bits / 8) > this.#word(at + 2)) this.#problems.add(id, 'nr_bits exceeds type_size');
    // At most one of signed, char and bool.
    if (![0, 1, 2, 4].includes((word >>> 24) & 0xf)) this.#problems.add(id, 'Unsupported encoding');
  }

  #checkArray(id: TypeId, at: number): void {
    if (this.#word(at + 2) !== 0) this.#problems.add(id, 'size != 0');
    if (!isReference(this.#word(at + HEAD_WORDS))) this.#problems.add(id, 'Invalid elem');
    if (!isReference(this.#word(at + HEAD_WORDS + 1))) this.#problems.add(id, 'Invalid index');
  }

  #checkMembers(id: TypeId, start: number, info: number, isUnion: boolean): void {
    const size = this.#word(start + 2);
    const packed = kindFlagOfInfo(info);
    const count = vlenOfInfo(info);
    let last = 0;
    for (let i = 0; i < count && !this.#problems.full; i++) {
      const at = start + HEAD_WORDS + i * 3;
      this.#checkComponentName(id, i, this.#word(at), 'Invalid member name_offset:');
      if (!isReference(this.#word(at + 1))) this.#problems.add(id, 'Invalid type_id', i);
      const word = this.#word(at + 2);
      const offset = packed ? word & 0xffffff : word;
      if (isUnion ? offset !== 0 : offset < last) this.#problems.add(id, 'Invalid member bits_offset', i);
      if (offset > size * 8) this.#problems.add(id, 'Member bits_offset exceeds its struct size', i);
      last = offset;
    }
  }

  /** Checks the name of a component, which may be missing. */
  #checkComponentName(id: TypeId, i: number, offset: number, invalidOffset: string): void {
    if (!this.#names.isOffset(offset)) this.#problems.add(id, `${invalidOffset}${offset}`, i);
    else if (offset !== 0 && !this.#names.isIdentifier(offset)) this.#problems.add(id, 'Invalid name', i);
  }

  #checkValues(id: TypeId, at: number, count: number, words: number): void {
    const size = this.#word(at + 2);
    if (![1, 2, 4, 8].includes(size)) this.#problems.add(id, 'Unexpected size');
    for (let i = 0; i < count && !this.#problems.full; i++) {
      const offset = this.#word(at + HEAD_WORDS + i * words);
      if (offset === 0) this.#problems.add(id, 'Invalid name', i);
      else this.#checkComponentName(id, i, offset, 'Invalid name_offset:');
    }
  }

  #checkVar(id: TypeId, at: number): void {
    if (!isReference(this.#word(at + 2))) this.#problems.add(id, 'Invalid type_id');
    // Static or global: an extern variable must be resolved before.
    if (this.#word(at + HEAD_WORDS) > 1) this.#problems.add(id, 'Linkage not supported');
  }

  #checkSection(id: TypeId, start: number, count: number): void {
    const sectionSize = this.#word(start + 2);
    if (count === 0 && !this.#features.emptySections) this.#problems.add(id, 'vlen == 0');
    if (sectionSize === 0) this.#problems.add(id, 'size == 0');
    let end = 0;
    let sum = 0;
    for (let i = 0; i < count && !this.#problems.full; i++) {
      const at = start + HEAD_WORDS + i * 3;
      const offset = this.#word(at + 1);
      const size = this.#word(at + 2);
      if (!isReference(this.#word(at))) this.#problems.add(id, 'Invalid type_id', i);
      if (offset < end || offset >= sectionSize) this.#problems.add(id, 'Invalid offset', i);
      if (size === 0 || size > sectionSize) this.#problems.add(id, 'Invalid size', i);
      // The kernel adds the two as 32 bits.
      end = (offset + size) >>> 0;
      if (end > sectionSize) this.#problems.add(id, 'Invalid offset+size', i);
      sum += size;
    }
    if (sum > sectionSize) this.#problems.add(id, 'Invalid btf_info size');
  }
}

/** The bits of the info word that have a meaning. */
function infoMask({ wideVlen, float }: KernelFeatures): number {
  if (wideVlen) return -1;
  return float ? NARROW_INFO_MASK : NARROWEST_INFO_MASK;
}

/** A FUNC has its linkage in place of vlen. */
function hasVlen(kind: number): boolean {
  return kind === Kind.FUNC || (KIND_ROWS[kind]?.each ?? 0) > 0;
}

/** Whether an id can be that of a type other than void. */
function isReference(id: TypeId): boolean {
  return id !== 0 && id <= MAX_TYPE;
}
