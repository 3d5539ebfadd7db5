import { HEAD_WORDS, isComposite, kindTable } from '../kind-words.js';
import { Kind, type TypeId } from '../types.js';
import { memberProblem, plainMemberSize } from './member-rules.js';
import type { KernelFeatures } from '../kernel/kernel-features.js';
import type { NameRules } from './name-rules.js';
import type { ProblemList } from './problem.js';
import { isModifier, isRegularInt, type RawTypes } from './raw-types.js';
import { type Resolution, State } from './resolution.js';

/** The depth to which the kernel resolves types within each other (MAX_RESOLVE_DEPTH). */
const MAX_DEPTH = 32;

/** Whether types of a kind refer to others. `checkPrototype` checks a FUNC_PROTO. */
const REFERS_TO_OTHERS = /* @__PURE__ */ kindTable(
  ({ third, onceIds, eachId }, kind) =>
    kind !== Kind.FUNC_PROTO && (third === 'TYPE_ID' || onceIds > 0 || eachId >= 0),
);
const UNREFERABLE = /* @__PURE__ */ kindTable(({ referable }) => !referable);
const SIZELESS = /* @__PURE__ */ kindTable(({ size }) => size === 'NONE');

/**
 * The end of a chain of references depends on its start. A pointer does not need its struct, but must not lead back to
 * itself through other pointers. A struct must not contain itself, but may contain pointers to itself. A mode has 1 for the
 * kinds that must be resolved first. The search may end at types of other kinds, resolved or not.
 */
const UNDECIDED = REFERS_TO_OTHERS;
const POINTER = /* @__PURE__ */ kindTable(({ alias }, kind) => alias || kind === Kind.PTR);
const CONTAINER = /* @__PURE__ */ kindTable(
  ({ alias }, kind) => alias || kind === Kind.ARRAY || isComposite(kind),
);

/**
 * The result of a step: done, a problem, or otherwise the id of a type to resolve first. Numbers in place of objects: there
 * are several steps for each type.
 */
const DONE = 0;
const PROBLEM = -1;

const INVALID_ID = 'Invalid type_id';

/**
 * Resolver follows the references of types: the kernel's second pass. It walks depth first and in the kernel's order,
 * because the depth limit depends on the order. Each type is resolved once.
 *
 * If a type fails, the types that need it fail too, but only the first failure is a problem.
 */
export class Resolver {
  readonly #types: RawTypes;
  readonly #words: Int32Array;
  readonly #names: NameRules;
  readonly #resolution: Resolution;
  readonly #features: KernelFeatures;
  readonly #problems: ProblemList;
  #mode = UNDECIDED;
  /** The types that are resolved within each other, and for each the member or variable to continue with. */
  readonly #stack = new Uint32Array(MAX_DEPTH);
  readonly #next = new Uint32Array(MAX_DEPTH);
  #depth = 0;
  #message = '';
  #component: number | null = null;

  /** Every type must have passed the first check. */
  constructor(
    types: RawTypes,
    names: NameRules,
    resolution: Resolution,
    features: KernelFeatures,
    problems: ProblemList,
  ) {
    this.#types = types;
    this.#words = types.words;
    this.#names = names;
    this.#resolution = resolution;
    this.#features = features;
    this.#problems = problems;
  }

  /** resolve resolves a type and the types that it needs, unless it is resolved already. */
  resolve(root: TypeId): void {
    const resolution = this.#resolution;
    if (REFERS_TO_OTHERS[this.#types.kind(root)] !== 1 || resolution.state(root) !== State.NEW) return;
    this.#mode = UNDECIDED;
    this.#enter(root);
    while (this.#depth > 0) {
      const top = this.#stack[this.#depth - 1] ?? 0;
      const step = this.#step(top);
      if (step === DONE) {
        this.#depth -= 1;
      } else if (step === PROBLEM) {
        this.#problems.add(top, this.#message, this.#component);
        this.#fail();
      } else if (resolution.state(step) === State.FAILED) {
        this.#fail();
      } else if (this.#depth === MAX_DEPTH) {
        this.#problems.add(root, `Exceeded max resolving depth:${MAX_DEPTH}`);
        this.#fail();
      } else if (resolution.state(step) === State.UNDER_WAY) {
        this.#problems.add(root, 'Loop detected');
        this.#fail();
      } else {
        this.#enter(step);
      }
    }
  }

  /**
   * checkPrototype checks a FUNC_PROTO, which no other type needs resolved, and resolves the types that it refers to.
   */
  checkPrototype(id: TypeId): void {
    const start = this.#types.start(id);
    const returned = this.#word(start + 2);
    // Kernels before DECL_TAG accept a variable or section.
    const isReferable = !this.#features.declTag || this.#canBeReferred(returned);
    const isReturned = returned === 0 || (isReferable && this.#isValue(returned));
    if (!isReturned) this.#problems.add(id, 'Invalid return type');
    const count = this.#types.vlen(id);
    const params = start + HEAD_WORDS;
    // The last parameter may be void, for variable arguments. The kernel checks it first.
    const variadic = count > 0 && this.#word(params + count * 2 - 1) === 0;
    if (variadic && this.#word(params + count * 2 - 2) !== 0) {
      this.#problems.add(id, `Invalid arg#${count}`, count - 1);
    }
    const fixed = variadic ? count - 1 : count;
    for (let i = 0; i < fixed && !this.#problems.full; i++) {
      const name = this.#word(params + i * 2);
      const valid = this.#isParamType(this.#word(params + i * 2 + 1)) && this.#isParamName(name);
      if (!valid) this.#problems.add(id, `Invalid arg#${i + 1}`, i);
    }
  }

  /** Returns a word, unsigned. */
  #word(at: number): number {
    return (this.#words[at] ?? 0) >>> 0;
  }

  #isParamType(id: TypeId): boolean {
    const { paramTypes } = this.#resolution;
    if (paramTypes[id] === 1) return true;
    const is = this.#canBeReferred(id) && this.#isValue(id);
    if (is) paramTypes[id] = 1;
    return is;
  }

  #isParamName(offset: number): boolean {
    return offset === 0 || (this.#names.isOffset(offset) && this.#names.isIdentifier(offset));
  }

  /** Whether a type has a size, so that a function can take or return it. A type that failed counts as one. */
  #isValue(id: TypeId): boolean {
    if (id >= this.#types.end || this.#isUnresolvedFunc(id)) return false;
    this.resolve(id);
    return this.#resolution.state(id) === State.FAILED || this.#resolution.sizedId(id) !== 0;
  }

  #enter(id: TypeId): void {
    const kind = this.#types.kind(id);
    this.#resolution.setState(id, State.UNDER_WAY);
    this.#stack[this.#depth] = id;
    this.#next[this.#depth] = 0;
    this.#depth += 1;
    if (this.#mode !== UNDECIDED) return;
    if (kind === Kind.PTR) this.#mode = POINTER;
    else if (isComposite(kind) || kind === Kind.ARRAY) this.#mode = CONTAINER;
  }

  #fail(): void {
    for (; this.#depth > 0; this.#depth--) {
      this.#resolution.setState(this.#stack[this.#depth - 1] ?? 0, State.FAILED);
    }
  }

  #problem(message: string, component: number | null = null): number {
    this.#message = message;
    this.#component = component;
    return PROBLEM;
  }

  #step(id: TypeId): number {
    switch (this.#types.kind(id)) {
      case Kind.PTR:
        return this.#pointer(id);
      case Kind.VAR:
        return this.#variable(id);
      case Kind.ARRAY:
        return this.#array(id);
      case Kind.STRUCT:
      case Kind.UNION:
        return this.#composite(id);
      case Kind.FUNC:
        return this.#func(id);
      case Kind.DECL_TAG:
        return this.#declTag(id);
      case Kind.DATASEC:
        return this.#section(id);
      default:
        return this.#modifier(id);
    }
  }

  #modifier(id: TypeId): number {
    const next = this.#types.third(id);
    if (!this.#canBeReferred(next)) return this.#problem(INVALID_ID);
    const pending = this.#pending(next);
    return pending === DONE ? this.#standFor(id, next) : pending;
  }

  #pointer(id: TypeId): number {
    const next = this.#types.third(id);
    if (!this.#canBeReferred(next)) return this.#problem(INVALID_ID);
    const pending = this.#pendingTarget(next);
    return pending === DONE ? this.#standFor(id, next) : pending;
  }

  #variable(id: TypeId): number {
    const next = this.#types.third(id);
    if (!this.#canBeReferred(next)) return this.#problem(INVALID_ID);
    const pending = this.#pendingTarget(next);
    if (pending !== DONE) return pending;
    const sized = this.#resolution.sizedId(next);
    return sized === 0 ? this.#problem(INVALID_ID) : this.#done(id, sized);
  }

  /**
   * A type stands for the sized type that another resolves to, or, through a pointer, for a type that needs no size.
   */
  #standFor(id: TypeId, next: TypeId): number {
    const resolution = this.#resolution;
    const sized = resolution.sizedId(next);
    if (sized !== 0) return this.#done(id, sized);
    const isResolved = resolution.state(next) === State.RESOLVED && !this.#isUnresolvedFunc(next);
    const target = isResolved ? resolution.resolvedId(next) : next;
    const kind = this.#types.kind(target);
    const may = kind === Kind.VOID || kind === Kind.FWD || kind === Kind.FUNC_PROTO;
    return may ? this.#done(id, target) : this.#problem(INVALID_ID);
  }

  /** Whether a type is a function that the kernel does not resolve for others: kernels before DECL_TAG. */
  #isUnresolvedFunc(id: TypeId): boolean {
    return !this.#features.declTag && this.#types.kind(id) === Kind.FUNC;
  }

  /**
   * As {@link #pending} for the target of a pointer or variable. A modifier that was resolved within a struct ends at a
   * pointer, from which a pointer has to continue.
   */
  #pendingTarget(next: TypeId): TypeId {
    const pending = this.#pending(next);
    if (pending !== DONE || !isModifier(this.#types.kind(next))) return pending;
    const target = this.#resolution.resolvedId(next);
    return this.#types.kind(target) === Kind.PTR ? this.#pending(target) : DONE;
  }

  #array(id: TypeId): number {
    const types = this.#types;
    const elem = types.word(id, HEAD_WORDS);
    const index = types.word(id, HEAD_WORDS + 1);
    const nelems = types.word(id, HEAD_WORDS + 2);
    if (!this.#canBeMember(index)) return this.#problem('Invalid index');
    const indexPending = this.#pending(index);
    if (indexPending !== DONE) return indexPending;
    const sizedIndex = this.#resolution.sizedId(index);
    if (types.kind(sizedIndex) !== Kind.INT || !this.#isRegular(sizedIndex)) {
      return this.#problem('Invalid index');
    }
    if (!this.#canBeMember(elem)) return this.#problem('Invalid elem');
    const elemPending = this.#pending(elem);
    if (elemPending !== DONE) return elemPending;
    const sizedElem = this.#resolution.sizedId(elem);
    if (sizedElem === 0) return this.#problem('Invalid elem');
    if (types.kind(sizedElem) === Kind.INT && !this.#isRegular(sizedElem)) {
      return this.#problem('Invalid array of int');
    }
    const size = this.#resolution.sizeOf(sizedElem) * nelems;
    return size > 0xffffffff
      ? this.#problem('Array size overflows U32_MAX')
      : this.#done(id, sizedElem, size);
  }

  #isRegular(id: TypeId): boolean {
    return isRegularInt(this.#types.word(id, HEAD_WORDS));
  }

  #composite(id: TypeId): number {
    const types = this.#types;
    const { memberSizes } = this.#resolution;
    const start = types.start(id);
    const size = this.#word(start + 2);
    const packed = types.kindFlag(id);
    const count = types.vlen(id);
    const top = this.#depth - 1;
    for (let member = this.#next[top] ?? 0; member < count; member++) {
      const at = start + HEAD_WORDS + member * 3;
      const typeId = this.#word(at + 1);
      const plain = memberSizes[typeId] ?? 0;
      if (plain !== 0 && !packed) {
        const offset = this.#word(at + 2);
        if ((offset & 7) === 0 && size - (offset >>> 3) >= plain - 1) continue;
      }
      if (!this.#canBeMember(typeId)) return this.#problem('Invalid member', member);
      const pending = this.#pending(typeId);
      if (pending !== DONE) {
        this.#next[top] = member;
        return pending;
      }
      const message = memberProblem(types, this.#resolution, id, member);
      if (message !== null) return this.#problem(message, member);
      if (plain === 0) memberSizes[typeId] = plainMemberSize(types, this.#resolution, typeId) + 1;
    }
    return this.#done(id, 0);
  }

  #func(id: TypeId): number {
    const types = this.#types;
    const proto = types.third(id);
    if (!this.#is(proto, Kind.FUNC_PROTO)) return this.#problem(INVALID_ID);
    const unnamed = this.#unnamedParam(proto);
    if (unnamed !== -1) return this.#problem(`Invalid arg#${unnamed + 1}`, unnamed);
    return this.#done(id, proto);
  }

  /**
   * The first parameter of a prototype without a name, or -1. It is searched for once, however many functions have the
   * prototype.
   */
  #unnamedParam(proto: TypeId): number {
    const resolution = this.#resolution;
    const { namedParams } = resolution;
    if (namedParams[proto] === 1) return -1;
    const known = resolution.unnamedParam(proto);
    if (known !== undefined) return known;
    const params = this.#types.start(proto) + HEAD_WORDS;
    const count = this.#types.vlen(proto);
    for (let i = 0; i < count; i++) {
      const named = this.#words[params + i * 2] !== 0;
      const variadic = this.#words[params + i * 2 + 1] === 0;
      if (named || variadic) continue;
      resolution.setUnnamedParam(proto, i);
      return i;
    }
    namedParams[proto] = 1;
    return -1;
  }

  #declTag(id: TypeId): number {
    const types = this.#types;
    const target = types.third(id);
    const kind = target < types.end ? types.kind(target) : Kind.VOID;
    const component = types.word(id, HEAD_WORDS) | 0;
    const hasMembers = isComposite(kind);
    if (!hasMembers && kind !== Kind.FUNC && kind !== Kind.VAR && kind !== Kind.TYPEDEF)
      return this.#problem(INVALID_ID);
    const pending = this.#pending(target);
    if (pending !== DONE) return pending;
    const components = hasMembers
      ? types.vlen(target)
      : kind === Kind.FUNC
        ? types.vlen(types.third(target))
        : 0;
    return component >= components ? this.#problem('Invalid component_idx') : this.#done(id, target);
  }

  #section(id: TypeId): number {
    const types = this.#types;
    const count = types.vlen(id);
    const top = this.#depth - 1;
    this.#mode = UNDECIDED;
    for (let component = this.#next[top] ?? 0; component < count; component++) {
      const variable = types.word(id, HEAD_WORDS + component * 3);
      const size = types.word(id, HEAD_WORDS + component * 3 + 2);
      if (!this.#is(variable, Kind.VAR)) return this.#problem('Not a VAR kind member', component);
      const pending = this.#pending(variable);
      if (pending !== DONE) {
        // A variable that is only resolved now is not compared with its size, as in the kernel.
        this.#next[top] = component + 1;
        return pending;
      }
      const sized = this.#resolution.sizedId(types.third(variable));
      if (sized === 0) return this.#problem('Invalid type', component);
      if (size < this.#resolution.sizeOf(sized)) return this.#problem('Invalid size', component);
    }
    return this.#done(id, 0);
  }

  #done(id: TypeId, standsFor: TypeId, size = 0): number {
    this.#resolution.resolve(id, standsFor, size);
    return DONE;
  }

  /** The type itself if it must be resolved first; otherwise `DONE`. */
  #pending(id: TypeId): TypeId {
    const isSought = this.#mode[this.#types.kind(id)] === 1;
    return isSought && this.#resolution.state(id) !== State.RESOLVED ? id : DONE;
  }

  #is(id: TypeId, kind: number): boolean {
    return id < this.#types.end && this.#types.kind(id) === kind;
  }

  /** Only variables, sections and declaration tags may refer to variables, sections and declaration tags. */
  #canBeReferred(id: TypeId): boolean {
    return id < this.#types.end && UNREFERABLE[this.#types.kind(id)] !== 1;
  }

  /** A part of another type must have a size. */
  #canBeMember(id: TypeId): boolean {
    return this.#canBeReferred(id) && id !== 0 && SIZELESS[this.#types.kind(id)] !== 1;
  }
}
