import { Kind, type Member, type Spec, type TypeId } from '@btfd/btf';
import { specialTypes, type SpecialTypes } from './special-types.js';

/** Members of structs looked at in a step: a few milliseconds. */
const MEMBERS_PER_STEP = 20_000;
/** The kernel refuses a struct with more special fields, once it has found one too many. */
const MAX_FIELDS = 12;
/** The kernel refuses arrays that nest deeper. */
const MAX_ARRAYS = 32;

/**
 * What the kernel takes, in nanoseconds, measured on Linux 6.18 (docs/loads.md tells how): for a member, for a type in a
 * search through all of them, for a character of a name in it, and for a search through the kernel's own types.
 */
const NS_PER_MEMBER = 150;
const NS_PER_TYPE = 10;
const NS_PER_CHARACTER = 1;
const NS_PER_KERNEL_SEARCH = 500_000;

/** What the kernel finds where it looks for special fields in a struct: its own and its nested structs'. */
interface Found {
  /** Members looked at. Nested structs are looked through again each time that they are met. */
  members: number;
  /** Lists and trees, for each of which it searches the tag that says what they contain. */
  roots: number;
  /** Pointers to objects of the kernel, for each of which it searches the kernel's types. */
  pointers: number;
}

interface Frame extends Found {
  readonly id: TypeId;
  readonly list: readonly Member[];
  next: number;
  /** Whether the kernel looks for special fields here at all. */
  looked: boolean;
}

/**
 * checkCost estimates how long the kernel searches, in milliseconds, when it checks BTF: what it takes beyond one pass
 * over the types, which is bounded by the size that BTF may have. Where struct types nest, or have fields that are
 * special to BPF programs, the search can take exponential time, and nothing ends it. It yields where others may have a
 * turn.
 *
 * @throws BtfFormatError for BTF that the kernel refuses before it searches.
 */
export function* checkCost(spec: Spec): Generator<null, number, void> {
  const special = yield* specialTypes(spec);
  if (special.structs.size === 0 && special.pointers.size === 0) return 0;
  const nsPerRoot = spec.endTypeId * NS_PER_TYPE + special.comparedCharacters * NS_PER_CHARACTER;
  const known = new Map<TypeId, Found | null>();
  let ns = 0;
  for (let id = 1; id < spec.endTypeId; id++) {
    if (id % MEMBERS_PER_STEP === 0) yield null;
    if (spec.kindOf(id) !== Kind.STRUCT || known.has(id)) continue;
    for (const { looked, members, roots, pointers } of framesOf(spec, id, special, known)) {
      if (members > MEMBERS_PER_STEP) yield null;
      if (looked) {
        ns += members * NS_PER_MEMBER + roots * nsPerRoot + pointers * NS_PER_KERNEL_SEARCH;
      }
    }
  }
  return ns / 1_000_000;
}

/** A struct and those nested in it that aren't known yet, the inner ones first. Null marks one that contains itself. */
function* framesOf(
  spec: Spec,
  root: TypeId,
  special: SpecialTypes,
  known: Map<TypeId, Found | null>,
): Generator<Frame, void, void> {
  const open: Frame[] = [];
  const enter = (id: TypeId): void => {
    const type = spec.typeById(id);
    const list = type.kind === 'STRUCT' ? type.members : [];
    known.set(id, null);
    open.push({ id, list, next: 0, looked: false, members: 0, roots: 0, pointers: 0 });
  };
  enter(root);
  for (let frame = open.at(-1); frame !== undefined; frame = open.at(-1)) {
    const member = frame.list[frame.next];
    if (member === undefined) {
      known.set(frame.id, frame);
      open.pop();
      yield frame;
      continue;
    }
    const { typeId, elements, arrays } = elementOf(spec, member.typeId);
    const nested = !special.structs.has(typeId) && spec.kindOf(typeId) === Kind.STRUCT;
    if (nested && !known.has(typeId)) {
      enter(typeId);
      continue;
    }
    frame.next += 1;
    if (special.structs.has(member.typeId) || special.pointers.has(member.typeId)) frame.looked = true;
    add(frame, { members: 1 + arrays, roots: 0, pointers: 0 });
    if (special.roots.has(typeId)) add(frame, { members: 0, roots: 1, pointers: 0 });
    if (special.pointers.has(typeId)) add(frame, { members: 0, roots: 0, pointers: elements });
    const inner = nested ? known.get(typeId) : null;
    if (inner !== null && inner !== undefined) add(frame, inner);
  }
}

function add(to: Found, { members, roots, pointers }: Found): void {
  to.members += members;
  to.roots = Math.min(MAX_FIELDS, to.roots + roots);
  to.pointers = Math.min(MAX_FIELDS, to.pointers + pointers);
}

/** What an array, or an array of arrays, has, and how many. */
function elementOf(
  spec: Spec,
  id: TypeId,
): { readonly typeId: TypeId; readonly elements: number; readonly arrays: number } {
  let typeId = id;
  let elements = 1;
  let arrays = 0;
  for (; arrays < MAX_ARRAYS && spec.kindOf(typeId) === Kind.ARRAY; arrays++) {
    const type = spec.typeById(typeId);
    if (type.kind !== 'ARRAY') break;
    elements *= type.nelems;
    typeId = type.typeId;
  }
  return { typeId, elements, arrays };
}
