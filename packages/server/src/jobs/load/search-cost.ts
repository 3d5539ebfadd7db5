import { Kind, type TypeId } from '@btfd/btf';
import { GraphRoots } from './graph-roots.js';
import type { RawBtf } from './raw-btf.js';
import type { UnsafeType } from './unsafe-types.js';
import { NS_PER_MODIFIER, Special, specialTypes, type SpecialTypes } from './special-types.js';

/** Types, and members of structs, visited in a step: a few milliseconds. */
const TYPES_PER_STEP = 50_000;
const MEMBERS_PER_STEP = 20_000;
/** The kernel accepts at most this many special fields in a struct (BTF_FIELDS_MAX). */
const MAX_FIELDS = 11;
/** It stops at the first field above that number. */
const MAX_SEARCHED = MAX_FIELDS + 1;
/** The kernel refuses arrays that nest deeper than this. */
const MAX_ARRAYS = 32;

/**
 * Time of the kernel in nanoseconds, measured on Linux 6.18 (see docs/loads.md): for a member in a search, and for a step
 * of a binary search among the special types.
 */
const NS_PER_MEMBER = 150;
const NS_PER_SORT_STEP = 20;

const MEMBER_WORDS = 3;

/** SearchCost is the cost of the kernel's search for special fields. */
export interface SearchCost {
  readonly ns: number;
  /** The pointers for each of which the kernel searches its own types. */
  readonly kernelSearches: number;
  /** The first struct with fields that some kernels do not count correctly. */
  readonly unsafe: UnsafeType | null;
}

/** The special fields that the kernel finds in a struct and in the structs nested in it. */
interface FieldCounts {
  /** Time to visit the members, in nanoseconds. The kernel visits a nested struct again for each member of its type. */
  visitNs: number;
  /** Fields of all kinds, each element of an array among them. Exact: nothing overflows. */
  fields: number;
  locks: number;
  counts: number;
  /** Time for lists and trees, in nanoseconds, and the longest time for one of them. */
  rootNs: number;
  longestRootNs: number;
  /** Pointers to objects of the kernel. */
  pointers: number;
}

interface Frame extends FieldCounts {
  readonly id: TypeId;
  next: number;
}

const NOTHING: FieldCounts = {
  visitNs: 0,
  fields: 0,
  locks: 0,
  counts: 0,
  rootNs: 0,
  longestRootNs: 0,
  pointers: 0,
};

/**
 * searchCost estimates how long the kernel searches for fields that are special to BPF programs. If structs nest, the
 * search can take exponential time and cannot be ended. The generator yields when other jobs may have a turn.
 *
 * Modelled on `btf_parse_struct_metas` of the kernel (Linux 6.2 and later).
 */
export function* searchCost(btf: RawBtf): Generator<null, SearchCost, void> {
  const special = yield* specialTypes(btf);
  let ns = special.chainSteps * NS_PER_MODIFIER;
  let kernelSearches = 0;
  let unsafe: UnsafeType | null = null;
  if (special.count === 0) return { ns, kernelSearches, unsafe };
  // The kernel sorts the special types, and looks for the type of each member among them.
  const sortedNs = Math.ceil(Math.log2(special.count + 1)) * NS_PER_SORT_STEP;
  ns += special.count * sortedNs;
  const search = new Search(btf, special);
  for (let id = 1; id < btf.end; id++) {
    if (id % TYPES_PER_STEP === 0) yield null;
    if (btf.kind(id) !== Kind.STRUCT) continue;
    ns += btf.vlen(id) * sortedNs;
    if (!search.isSearched(id)) continue;
    const counts = yield* search.countsOf(id);
    ns += counts.visitNs + counts.rootNs;
    kernelSearches += Math.min(MAX_SEARCHED, counts.pointers);
    if (unsafe === null && search.isSearched(id, SOUGHT)) unsafe = unsafeOf(id, counts);
  }
  return { ns, kernelSearches, unsafe };
}

/**
 * Returns why a struct is not safe. Kernels from 6.11 on count the fields of arrays in 32 bits, or not at all, and write
 * beyond their stack, unless they have been fixed (6.11.6 and 6.12.96). Kernels from 6.4 on warn about a second lock or
 * reference count that they do not refuse, unless they have been fixed (6.12.110 and 6.12.114).
 */
function unsafeOf(typeId: TypeId, { fields, locks, counts }: FieldCounts): UnsafeType | null {
  const problem =
    fields > MAX_FIELDS
      ? `has more than ${MAX_FIELDS} special fields`
      : locks > 1
        ? 'has more than one lock'
        : counts > 1
          ? 'has more than one bpf_refcount'
          : null;
  const remedy = 'remove such fields from it and from the structs and arrays in it';
  return problem === null ? null : { typeId, problem, remedy };
}

/** The special types that make kernels search the structs that contain them. */
const SOUGHT: ReadonlySet<number> = new Set([
  Special.NODE,
  Special.LOCK,
  Special.COUNT,
  Special.ROOT,
  Special.FIELD_POINTER,
  Special.OTHER_SIZE,
]);
/** The fields of 4 bytes. All others are aligned to 8. */
const SMALL: ReadonlySet<number> = new Set([Special.LOCK, Special.OTHER_LOCK, Special.COUNT]);
const ANY: ReadonlySet<number> = new Set(Object.values(Special).filter((each) => each !== Special.NO));

/** Search visits structs as the kernel does, but each of them once. */
class Search {
  readonly #btf: RawBtf;
  readonly #special: SpecialTypes;
  readonly #roots: GraphRoots;
  #visited = 0;
  /** While a struct is open it is known as null, which ends the walk of one that contains itself. */
  readonly #known = new Map<TypeId, FieldCounts | null>();

  constructor(btf: RawBtf, special: SpecialTypes) {
    this.#btf = btf;
    this.#special = special;
    this.#roots = new GraphRoots(btf);
  }

  /**
   * isSearched reports whether the kernel searches a struct: one of its members is special, not in an array.
   *
   * @param by the special types that count. Default: all, also those that only later kernels may search for.
   */
  isSearched(id: TypeId, by: ReadonlySet<number> = ANY): boolean {
    const count = this.#btf.vlen(id);
    for (let index = 0; index < count; index++) {
      const typeId = this.#btf.element(id, MEMBER_WORDS, index, 1);
      if (by.has(this.#special.special[typeId] ?? Special.NO)) return true;
    }
    return false;
  }

  /** countsOf counts the fields of a struct and of the structs nested in it that are not known yet, the inner ones first. */
  *countsOf(root: TypeId): Generator<null, FieldCounts, void> {
    const open: Frame[] = [];
    this.#enter(open, root);
    for (let frame = open.at(-1); frame !== undefined; frame = open.at(-1)) {
      this.#visited += 1;
      if (this.#visited % MEMBERS_PER_STEP === 0) yield null;
      if (frame.next >= this.#btf.vlen(frame.id)) {
        this.#known.set(frame.id, frame);
        open.pop();
        continue;
      }
      const entered = open.length;
      const { typeId } = this.#elementAt(frame);
      if ((this.#special.special[typeId] ?? 0) === Special.NO) this.#enter(open, typeId);
      if (open.length === entered) this.#addMember(frame);
    }
    return this.#known.get(root) ?? NOTHING;
  }

  #enter(open: Frame[], id: TypeId): void {
    if (this.#btf.kind(id) !== Kind.STRUCT || this.#known.has(id)) return;
    this.#known.set(id, null);
    open.push({ ...NOTHING, id, next: 0 });
  }

  #addMember(frame: Frame): void {
    const { special, chains } = this.#special;
    const { typeId, elements, arrays } = this.#elementAt(frame);
    const kind = special[typeId] ?? Special.NO;
    frame.visitNs += NS_PER_MEMBER * (1 + arrays) + (chains[typeId] ?? 0) * NS_PER_MODIFIER;
    if (kind === Special.NO) addElements(frame, this.#known.get(typeId) ?? NOTHING, elements);
    else if (kind !== Special.OTHER && kind !== Special.OTHER_SIZE) this.#addField(frame, kind, elements);
    frame.next += 1;
  }

  #addField(frame: Frame, kind: number, elements: number): void {
    const isPointer = kind === Special.POINTER || kind === Special.FIELD_POINTER;
    if (isPointer) frame.pointers += elements;
    if (kind === Special.POINTER || elements === 0 || !this.#isAligned(frame, kind)) return;
    frame.fields += elements;
    // The kernel refuses arrays of these.
    if (kind === Special.LOCK || kind === Special.OTHER_LOCK) frame.locks += 1;
    if (kind === Special.COUNT) frame.counts += 1;
    if (kind !== Special.ROOT) return;
    const { searchNs, memberNs } = this.#roots.costOf(frame.id, frame.next);
    addRoots(frame, searchNs + Math.min(MAX_FIELDS, elements) * memberNs, searchNs + memberNs);
  }

  /** The kernel ignores a field that is not aligned in its own struct. */
  #isAligned({ id, next }: Frame, kind: number): boolean {
    const word = this.#btf.element(id, MEMBER_WORDS, next, 2);
    const bitOffset = this.#btf.kindFlag(id) ? word & 0xffffff : word;
    return bitOffset % (SMALL.has(kind) ? 32 : 64) === 0;
  }

  /** The element type of the member's array or array of arrays, the number of elements and of arrays. */
  #elementAt({ id, next }: Frame): {
    readonly typeId: TypeId;
    readonly elements: number;
    readonly arrays: number;
  } {
    const btf = this.#btf;
    let typeId = btf.element(id, MEMBER_WORDS, next, 1);
    let elements = 1;
    let arrays = 0;
    for (; arrays < MAX_ARRAYS && btf.kind(typeId) === Kind.ARRAY; arrays++) {
      elements *= btf.element(typeId, 0, 0, 2);
      typeId = btf.element(typeId, 0, 0, 0);
    }
    return { typeId, elements, arrays };
  }
}

/** Adds the fields of a nested struct, or of an array of them. The kernel searches the struct once for all elements. */
function addElements(to: FieldCounts, inner: FieldCounts, elements: number): void {
  to.visitNs += inner.visitNs;
  if (elements === 0) return;
  to.fields += inner.fields * elements;
  to.locks += inner.locks;
  to.counts += inner.counts;
  to.pointers += inner.pointers * elements;
  addRoots(to, inner.rootNs, inner.longestRootNs);
}

/** The kernel refuses a struct with more roots than fields are allowed. */
function addRoots(to: FieldCounts, rootNs: number, longestRootNs: number): void {
  to.longestRootNs = Math.max(to.longestRootNs, longestRootNs);
  to.rootNs = Math.min(to.rootNs + rootNs, MAX_SEARCHED * to.longestRootNs);
}
