import { HEAD_WORDS, isComposite, kindTest } from '../kind-words.js';
import { Kind, type TypeId } from '../types.js';
import { memberProblem } from './member-rules.js';
import type { KernelFeatures } from '../kernel/kernel-features.js';
import type { NameRules } from './name-rules.js';
import type { ProblemList } from './problem.js';
import { isModifier, isRegularInt, type RawTypes } from './raw-types.js';
import { type Resolution, State } from './resolution.js';

/** The depth to which the kernel resolves types within each other (MAX_RESOLVE_DEPTH). */
const MAX_DEPTH = 32;

/**
 * The end of a chain of references depends on its start. A pointer does not need its struct, but must not lead back to
 * itself through other pointers. A struct must not contain itself, but may contain pointers to itself.
 */
type Mode = 'UNDECIDED' | 'POINTER' | 'CONTAINER';

interface Frame {
  readonly id: TypeId;
  /** The member or variable to continue with. */
  next: number;
}

/** Whether types of a kind refer to others. `checkPrototype` checks a FUNC_PROTO. */
const refersToOthers = kindTest(
  ({ third, onceIds, eachId }, kind) =>
    kind !== Kind.FUNC_PROTO && (third === 'TYPE_ID' || onceIds > 0 || eachId >= 0),
);
const isUnreferable = kindTest(({ referable }) => !referable);
const isSizeless = kindTest(({ size }) => size === 'NONE');

/** The result of a step: done, one more type to resolve first, or a problem. */
type Step = 'DONE' | { readonly first: TypeId } | { readonly message: string; readonly component?: number };

const DONE = 'DONE';
const INVALID_ID = { message: 'Invalid type_id' };

/**
 * Resolver follows the references of types: the kernel's second pass. It walks depth first and in the kernel's order,
 * because the depth limit depends on the order. Each type is resolved once.
 *
 * If a type fails, the types that need it fail too, but only the first failure is a problem.
 */
export class Resolver {
  readonly #types: RawTypes;
  readonly #unnamedParams = new Map<TypeId, number>();
  readonly #names: NameRules;
  readonly #resolution: Resolution;
  readonly #features: KernelFeatures;
  readonly #problems: ProblemList;
  #mode: Mode = 'UNDECIDED';

  /** Every type must have passed the first check. */
  constructor(
    types: RawTypes,
    names: NameRules,
    resolution: Resolution,
    features: KernelFeatures,
    problems: ProblemList,
  ) {
    this.#types = types;
    this.#names = names;
    this.#resolution = resolution;
    this.#features = features;
    this.#problems = problems;
  }

  /** resolve resolves a type and the types that it needs, unless it is resolved already. */
  resolve(root: TypeId): void {
    const resolution = this.#resolution;
    if (!this.#needsResolution(root) || resolution.state(root) !== State.NEW) return;
    const stack: Frame[] = [];
    this.#mode = 'UNDECIDED';
    this.#enter(stack, root);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const step = this.#step(top);
      if (step === DONE) {
        stack.pop();
      } else if ('message' in step) {
        this.#problems.add(top.id, step.message, step.component ?? null);
        this.#fail(stack);
      } else if (resolution.state(step.first) === State.FAILED) {
        this.#fail(stack);
      } else if (stack.length === MAX_DEPTH) {
        this.#problems.add(root, `Exceeded max resolving depth:${MAX_DEPTH}`);
        this.#fail(stack);
      } else if (resolution.state(step.first) === State.UNDER_WAY) {
        this.#problems.add(root, 'Loop detected');
        this.#fail(stack);
      } else {
        this.#enter(stack, step.first);
      }
    }
  }

  /**
   * checkPrototype checks a FUNC_PROTO, which no other type needs resolved, and resolves the types that it refers to.
   */
  checkPrototype(id: TypeId): void {
    const types = this.#types;
    const returned = types.third(id);
    // Kernels before DECL_TAG accept a variable or section.
    const isReferable = !this.#features.declTag || this.#canBeReferred(returned);
    const isReturned = returned === 0 || (isReferable && this.#isValue(returned));
    if (!isReturned) this.#problems.add(id, 'Invalid return type');
    const count = types.vlen(id);
    // The last parameter may be void, for variable arguments. The kernel checks it first.
    const variadic = count > 0 && types.word(id, HEAD_WORDS + count * 2 - 1) === 0;
    if (variadic && types.word(id, HEAD_WORDS + count * 2 - 2) !== 0) {
      this.#problems.add(id, `Invalid arg#${count}`, count - 1);
    }
    const fixed = variadic ? count - 1 : count;
    for (let i = 0; i < fixed && !this.#problems.full; i++) {
      const name = types.word(id, HEAD_WORDS + i * 2);
      const typeId = types.word(id, HEAD_WORDS + i * 2 + 1);
      const valid = this.#canBeReferred(typeId) && this.#isValue(typeId) && this.#isParamName(name);
      if (!valid) this.#problems.add(id, `Invalid arg#${i + 1}`, i);
    }
  }

  #isParamName(offset: number): boolean {
    return offset === 0 || (this.#names.isOffset(offset) && this.#names.isIdentifier(offset));
  }

  /** Whether a type has a size, so that a function can take or return it. A type that failed counts as one. */
  #isValue(id: TypeId): boolean {
    if (id >= this.#types.end || this.#isUnresolvedFunc(id)) return false;
    this.resolve(id);
    return this.#resolution.state(id) === State.FAILED || this.#resolution.sized(id) !== null;
  }

  #enter(stack: Frame[], id: TypeId): void {
    const kind = this.#types.kind(id);
    this.#resolution.setState(id, State.UNDER_WAY);
    stack.push({ id, next: 0 });
    if (this.#mode !== 'UNDECIDED') return;
    if (kind === Kind.PTR) this.#mode = 'POINTER';
    else if (isComposite(kind) || kind === Kind.ARRAY) this.#mode = 'CONTAINER';
  }

  #fail(stack: Frame[]): void {
    for (const { id } of stack.splice(0)) this.#resolution.setState(id, State.FAILED);
  }

  #step(frame: Frame): Step {
    switch (this.#types.kind(frame.id)) {
      case Kind.PTR:
        return this.#pointer(frame.id);
      case Kind.VAR:
        return this.#variable(frame.id);
      case Kind.ARRAY:
        return this.#array(frame.id);
      case Kind.STRUCT:
      case Kind.UNION:
        return this.#composite(frame);
      case Kind.FUNC:
        return this.#func(frame.id);
      case Kind.DECL_TAG:
        return this.#declTag(frame.id);
      case Kind.DATASEC:
        return this.#section(frame);
      default:
        return this.#modifier(frame.id);
    }
  }

  #modifier(id: TypeId): Step {
    const next = this.#types.third(id);
    if (!this.#canBeReferred(next)) return INVALID_ID;
    return this.#pending(next) ?? this.#standFor(id, next);
  }

  #pointer(id: TypeId): Step {
    const next = this.#types.third(id);
    if (!this.#canBeReferred(next)) return INVALID_ID;
    return this.#pending(next) ?? this.#pointerBehind(next) ?? this.#standFor(id, next);
  }

  #variable(id: TypeId): Step {
    const next = this.#types.third(id);
    if (!this.#canBeReferred(next)) return INVALID_ID;
    const pending = this.#pending(next) ?? this.#pointerBehind(next);
    if (pending !== null) return pending;
    const sized = this.#resolution.sized(next);
    return sized === null ? INVALID_ID : this.#done(id, sized.id);
  }

  /**
   * A type stands for the sized type that another resolves to, or, through a pointer, for a type that needs no size.
   */
  #standFor(id: TypeId, next: TypeId): Step {
    const resolution = this.#resolution;
    const sized = resolution.sized(next);
    if (sized !== null) return this.#done(id, sized.id);
    const isResolved = resolution.state(next) === State.RESOLVED && !this.#isUnresolvedFunc(next);
    const target = isResolved ? resolution.resolvedId(next) : next;
    const kind = this.#types.kind(target);
    const may = kind === Kind.VOID || kind === Kind.FWD || kind === Kind.FUNC_PROTO;
    return may ? this.#done(id, target) : INVALID_ID;
  }

  /** Whether a type is a function that the kernel does not resolve for others: kernels before DECL_TAG. */
  #isUnresolvedFunc(id: TypeId): boolean {
    return !this.#features.declTag && this.#types.kind(id) === Kind.FUNC;
  }

  /** A modifier that was resolved within a struct ends at a pointer, from which a pointer has to continue. */
  #pointerBehind(next: TypeId): Step | null {
    if (!isModifier(this.#types.kind(next))) return null;
    const target = this.#resolution.resolvedId(next);
    return this.#types.kind(target) === Kind.PTR ? this.#pending(target) : null;
  }

  #array(id: TypeId): Step {
    const types = this.#types;
    const elem = types.word(id, HEAD_WORDS);
    const index = types.word(id, HEAD_WORDS + 1);
    const nelems = types.word(id, HEAD_WORDS + 2);
    if (!this.#canBeMember(index)) return { message: 'Invalid index' };
    const indexPending = this.#pending(index);
    if (indexPending !== null) return indexPending;
    const sizedIndex = this.#resolution.sized(index);
    if (sizedIndex === null || types.kind(sizedIndex.id) !== Kind.INT || !this.#isRegular(sizedIndex.id)) {
      return { message: 'Invalid index' };
    }
    if (!this.#canBeMember(elem)) return { message: 'Invalid elem' };
    const elemPending = this.#pending(elem);
    if (elemPending !== null) return elemPending;
    const sizedElem = this.#resolution.sized(elem);
    if (sizedElem === null) return { message: 'Invalid elem' };
    if (types.kind(sizedElem.id) === Kind.INT && !this.#isRegular(sizedElem.id)) {
      return { message: 'Invalid array of int' };
    }
    const size = sizedElem.size * nelems;
    return size > 0xffffffff
      ? { message: 'Array size overflows U32_MAX' }
      : this.#done(id, sizedElem.id, size);
  }

  #isRegular(id: TypeId): boolean {
    return isRegularInt(this.#types.word(id, HEAD_WORDS));
  }

  #composite(frame: Frame): Step {
    const types = this.#types;
    const count = types.vlen(frame.id);
    for (; frame.next < count; frame.next++) {
      const typeId = types.word(frame.id, HEAD_WORDS + frame.next * 3 + 1);
      if (!this.#canBeMember(typeId)) return { message: 'Invalid member', component: frame.next };
      const pending = this.#pending(typeId);
      if (pending !== null) return pending;
      const message = memberProblem(types, this.#resolution, frame.id, frame.next);
      if (message !== null) return { message, component: frame.next };
    }
    return this.#done(frame.id, 0);
  }

  #func(id: TypeId): Step {
    const types = this.#types;
    const proto = types.third(id);
    if (!this.#is(proto, Kind.FUNC_PROTO)) return INVALID_ID;
    const unnamed = this.#unnamedParam(proto);
    if (unnamed !== -1) return { message: `Invalid arg#${unnamed + 1}`, component: unnamed };
    return this.#done(id, proto);
  }

  /**
   * The first parameter of a prototype without a name, or -1. It is searched for once, however many functions have the
   * prototype.
   */
  #unnamedParam(proto: TypeId): number {
    const known = this.#unnamedParams.get(proto);
    if (known !== undefined) return known;
    const types = this.#types;
    const count = types.vlen(proto);
    let unnamed = 0;
    while (unnamed < count) {
      const named = types.word(proto, HEAD_WORDS + unnamed * 2) !== 0;
      const variadic = types.word(proto, HEAD_WORDS + unnamed * 2 + 1) === 0;
      if (!named && !variadic) break;
      unnamed += 1;
    }
    const found = unnamed === count ? -1 : unnamed;
    this.#unnamedParams.set(proto, found);
    return found;
  }

  #declTag(id: TypeId): Step {
    const types = this.#types;
    const target = types.third(id);
    const kind = target < types.end ? types.kind(target) : Kind.VOID;
    const component = types.word(id, HEAD_WORDS) | 0;
    const hasMembers = isComposite(kind);
    if (!hasMembers && kind !== Kind.FUNC && kind !== Kind.VAR && kind !== Kind.TYPEDEF) return INVALID_ID;
    const pending = this.#pending(target);
    if (pending !== null) return pending;
    const components = hasMembers
      ? types.vlen(target)
      : kind === Kind.FUNC
        ? types.vlen(types.third(target))
        : 0;
    return component >= components ? { message: 'Invalid component_idx' } : this.#done(id, target);
  }

  #section(frame: Frame): Step {
    const types = this.#types;
    const count = types.vlen(frame.id);
    this.#mode = 'UNDECIDED';
    while (frame.next < count) {
      const component = frame.next;
      const variable = types.word(frame.id, HEAD_WORDS + component * 3);
      const size = types.word(frame.id, HEAD_WORDS + component * 3 + 2);
      frame.next += 1;
      if (!this.#is(variable, Kind.VAR)) return { message: 'Not a VAR kind member', component };
      // A variable that is only resolved now is not compared with its size, as in the kernel.
      const pending = this.#pending(variable);
      if (pending !== null) return pending;
      const sized = this.#resolution.sized(types.third(variable));
      if (sized === null) return { message: 'Invalid type', component };
      if (size < sized.size) return { message: 'Invalid size', component };
    }
    return this.#done(frame.id, 0);
  }

  #done(id: TypeId, standsFor: TypeId, size = 0): Step {
    this.#resolution.resolve(id, standsFor, size);
    return DONE;
  }

  /** The type itself if it must be resolved first; otherwise null. */
  #pending(id: TypeId): { readonly first: TypeId } | null {
    const waits = !this.#isSink(id) && this.#resolution.state(id) !== State.RESOLVED;
    return waits ? { first: id } : null;
  }

  /** Whether the search may end at a type, resolved or not. */
  #isSink(id: TypeId): boolean {
    const kind = this.#types.kind(id);
    switch (this.#mode) {
      case 'UNDECIDED':
        return !this.#needsResolution(id);
      case 'POINTER':
        return !isModifier(kind) && kind !== Kind.PTR;
      case 'CONTAINER':
        return !isModifier(kind) && kind !== Kind.ARRAY && !isComposite(kind);
    }
  }

  #needsResolution(id: TypeId): boolean {
    return refersToOthers(this.#types.kind(id));
  }

  #is(id: TypeId, kind: number): boolean {
    return id < this.#types.end && this.#types.kind(id) === kind;
  }

  /** Only variables, sections and declaration tags may refer to variables, sections and declaration tags. */
  #canBeReferred(id: TypeId): boolean {
    return id < this.#types.end && !isUnreferable(this.#types.kind(id));
  }

  /** A part of another type must have a size. */
  #canBeMember(id: TypeId): boolean {
    return this.#canBeReferred(id) && id !== 0 && !isSizeless(this.#types.kind(id));
  }
}
