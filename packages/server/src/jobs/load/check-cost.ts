import { Kind, type Member, type Spec, type TypeId } from '@btfd/btf';
import { specialTypes, type SpecialTypes } from './special-types.js';

/** Members of structs visited in a step: a few milliseconds. */
const MEMBERS_PER_STEP = 20_000;
/** The kernel stops and refuses a struct at the first special field above this number. */
const MAX_FIELDS = 12;
/** The kernel refuses arrays that nest deeper than this. */
const MAX_ARRAYS = 32;

/**
 * Time that the kernel takes, in nanoseconds, measured on Linux 6.18 (see docs/loads.md): for a member, for a type in a
 * search through all types, for a character of a name in such a search, and for a search through the kernel's own types.
 */
const NS_PER_MEMBER = 150;
const NS_PER_TYPE = 10;
const NS_PER_CHARACTER = 1;
const NS_PER_KERNEL_SEARCH = 500_000;

/** The special fields that the kernel finds in a struct and in the structs nested in it. */
interface FieldCounts {
  /** Visited members. The kernel visits a nested struct again for each member of its type. */
  members: number;
  /** Lists and trees. For each, the kernel searches for the tag that names its elements. */
  roots: number;
  /** Pointers to objects of the kernel. For each, the kernel searches its own types. */
  pointers: number;
}

interface Frame extends FieldCounts {
  readonly id: TypeId;
  readonly list: readonly Member[];
  next: number;
  /** Whether the kernel searches this struct for special fields at all. */
  searched: boolean;
}

/**
 * checkCost estimates how long the kernel searches when it checks BTF, in milliseconds. It leaves out the one pass over
 * all types, whose time is bounded by the size of BTF. If structs nest, or have fields that are special to BPF programs,
 * the search can take exponential time and cannot be ended. The generator yields when other jobs may have a turn.
 *
 * Modelled on `btf_parse_struct_metas` of the kernel (Linux 6.2 and later).
 *
 * @throws BtfFormatError if the kernel refuses the BTF before it searches.
 */
export function* checkCost(spec: Spec): Generator<null, number, void> {
  const special = yield* specialTypes(spec);
  if (special.structs.size === 0 && special.pointers.size === 0) return 0;
  const nsPerRoot = spec.endTypeId * NS_PER_TYPE + special.comparedCharacters * NS_PER_CHARACTER;
  const known = new Map<TypeId, FieldCounts | null>();
  let ns = 0;
  for (const id of spec.typeIds()) {
    if (id % MEMBERS_PER_STEP === 0) yield null;
    if (spec.kindOf(id) !== Kind.STRUCT || known.has(id)) continue;
    for (const { searched, members, roots, pointers } of framesOf(spec, id, special, known)) {
      if (members > MEMBERS_PER_STEP) yield null;
      if (searched) {
        ns += members * NS_PER_MEMBER + roots * nsPerRoot + pointers * NS_PER_KERNEL_SEARCH;
      }
    }
  }
  return ns / 1_000_000;
}

/**
 * Counts a struct and the structs nested in it that are not known yet, the inner ones first. While a struct is open it is
 * known as null, which ends the walk of one that contains itself.
 */
function* framesOf(
  spec: Spec,
  root: TypeId,
  special: SpecialTypes,
  known: Map<TypeId, FieldCounts | null>,
): Generator<Frame, void, void> {
  const open: Frame[] = [];
  const enter = (id: TypeId): void => {
    const type = spec.typeById(id);
    const list = type.kind === 'STRUCT' ? type.members : [];
    known.set(id, null);
    open.push({ id, list, next: 0, searched: false, members: 0, roots: 0, pointers: 0 });
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
    if (special.structs.has(member.typeId) || special.pointers.has(member.typeId)) frame.searched = true;
    add(frame, { members: 1 + arrays, roots: 0, pointers: 0 });
    if (special.roots.has(typeId)) add(frame, { members: 0, roots: 1, pointers: 0 });
    if (special.pointers.has(typeId)) add(frame, { members: 0, roots: 0, pointers: elements });
    const inner = nested ? known.get(typeId) : null;
    if (inner !== null && inner !== undefined) add(frame, inner);
  }
}

function add(to: FieldCounts, { members, roots, pointers }: FieldCounts): void {
  to.members += members;
  to.roots = Math.min(MAX_FIELDS, to.roots + roots);
  to.pointers = Math.min(MAX_FIELDS, to.pointers + pointers);
}

/** Returns the element type of an array or an array of arrays, the number of elements and of arrays. */
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
