import { BtfFormatError, BtfReadError, type BtfReadErrorCode } from '../format-error.js';
import { keptTypeById, sizeOrTypeIdOf, type Spec } from '../spec.js';
import { Kind, type Struct, type Type, type TypeId, type Union } from '../types.js';
import { describeType, resolve, resolveId } from './resolve.js';
import { flatMember, type FlatMember } from './flat-members.js';
import type { MemberChoices } from './member-choices.js';
import type { MemberProblem } from './member-error.js';
import { formatStep, type PathStep } from './member-path.js';
import type { Dereference, MemberPlace, MemberStep, ResolveOptions, ResolvedMember } from './member-place.js';
import { definitionsOf } from './member-root.js';
import { oldBitfieldOf } from './old-bitfields.js';
import { sizeof } from './sizeof.js';

type Start = Pick<MemberPlace, 'containerId' | 'bitOffset'>;

/** Advice for types without members. */
const ADVICE = new Map<Type['kind'], string>([
  ['ARRAY', ': give an index'],
  ['PTR', ': it is a pointer itself, give an index'],
  ['FWD', ': it is declared, but not defined here'],
]);

/** WalkFailure is the reason why a walk ended, and where. */
export class WalkFailure extends Error {
  readonly problem: MemberProblem;
  readonly code: BtfReadErrorCode | undefined;
  /** Number of steps that were made before. */
  readonly step: number;
  /** The struct or union that does not have the member of this step; null for other failures. */
  readonly searched: Struct | Union | null;

  constructor(
    problem: MemberProblem,
    message: string,
    step: number,
    {
      code,
      searched = null,
    }: { readonly code?: BtfReadErrorCode; readonly searched?: Struct | Union | null } = {},
  ) {
    super(message);
    this.problem = problem;
    this.code = code;
    this.step = step;
    this.searched = searched;
  }
}

/** MemberWalk follows one path from type to type. */
export class MemberWalk {
  readonly #spec: Spec;
  readonly #choices: MemberChoices;
  readonly #options: ResolveOptions;
  readonly #steps: MemberStep[] = [];
  readonly #dereferences: Dereference[] = [];

  constructor(spec: Spec, choices: MemberChoices, options: ResolveOptions) {
    this.#spec = spec;
    this.#choices = choices;
    this.#options = options;
  }

  /**
   * walk follows a path from a type, which is not an alias. It can be called once.
   *
   * @throws WalkFailure at the step that fails.
   */
  walk(rootId: TypeId, steps: readonly PathStep[]): ResolvedMember {
    let place: MemberPlace = {
      containerId: rootId,
      bitOffset: 0,
      bitSize: 0,
      bitfield: false,
      typeId: rootId,
    };
    try {
      if (steps.length === 0) place = { ...place, bitSize: this.#bits(rootId) };
      for (const step of steps) {
        place = 'member' in step ? this.#member(place, step.member) : this.#element(place, step.index);
      }
    } catch (error) {
      if (!(error instanceof BtfReadError)) throw error;
      throw this.#unreadable(error);
    }
    return { rootId, ...place, dereferences: this.#dereferences, steps: this.#steps };
  }

  #member(place: MemberPlace, name: string): MemberPlace {
    let type = keptTypeById(this.#spec, resolveId(this.#spec, place.typeId));
    let start: Start = place;
    if (type.kind === 'PTR') {
      this.#cross(place, type.typeId);
      type = keptTypeById(this.#spec, this.#targetOf(type.typeId, this.#steps.length));
      start = { containerId: type.id, bitOffset: 0 };
    }
    if (type.kind !== 'STRUCT' && type.kind !== 'UNION') {
      throw this.#failure(
        'NOT_A_STRUCT',
        `${describeType(type)} has no members${ADVICE.get(type.kind) ?? ''}`,
      );
    }
    const flat = this.#find(type, name);
    const { member, baseOffset } = flat;
    const { typeId, bitfieldSize } = member;
    const at = start.bitOffset + baseOffset + member.bitOffset;
    const found = { containerId: start.containerId, typeId, ...this.#extent(at, typeId, bitfieldSize) };
    return this.#arrive({
      name,
      ...found,
      dereferences: this.#dereferences.length,
      indices: indicesOf(flat),
    });
  }

  #element(place: MemberPlace, index: number): MemberPlace {
    const type = resolve(this.#spec, place.typeId);
    if (type.kind !== 'ARRAY' && type.kind !== 'PTR') {
      throw this.#failure('NOT_A_STRUCT', `${describeType(type)} has no elements`);
    }
    if (type.kind === 'ARRAY' && type.nelems > 0 && index >= type.nelems) {
      throw this.#failure('NO_SUCH_MEMBER', `the array has ${type.nelems} elements`);
    }
    let start: Start = place;
    let { typeId } = type;
    if (type.kind === 'PTR') {
      this.#cross(place, typeId);
      // A candidate has no index: its path continues after this step.
      const targetId = this.#targetOf(typeId, this.#steps.length + 1);
      // A declared type has no size: the element is of its definition.
      if (this.#spec.kindOf(resolveId(this.#spec, typeId)) === Kind.FWD) typeId = targetId;
      start = { containerId: targetId, bitOffset: 0 };
    }
    const bitSize = this.#bits(typeId);
    const bitOffset = this.#safe(start.bitOffset + index * bitSize);
    const found = { containerId: start.containerId, bitOffset, bitSize, bitfield: false, typeId };
    return this.#arrive({
      name: formatStep({ index }),
      ...found,
      dereferences: this.#dereferences.length,
      indices: [index],
    });
  }

  /**
   * The type that a pointer leads to, with typedefs resolved: for a declared type, one of its definitions.
   *
   * @param step the index of the step that a path from this type starts with.
   */
  #targetOf(typeId: TypeId, step: number): TypeId {
    const definitions = definitionsOf(this.#spec, resolveId(this.#spec, typeId), this.#options);
    return this.#choices.pick(definitions, step);
  }

  #cross({ containerId, bitOffset, bitSize, bitfield, typeId }: MemberPlace, targetId: TypeId): void {
    const tags = this.#tags(targetId);
    this.#dereferences.push({ containerId, bitOffset, bitSize, bitfield, typeId, targetId, tags });
  }

  #arrive(step: MemberStep): MemberPlace {
    this.#steps.push(step);
    const { containerId, bitOffset, bitSize, bitfield, typeId } = step;
    return { containerId, bitOffset, bitSize, bitfield, typeId };
  }

  #find(type: Struct | Union, name: string): FlatMember {
    const onEnter = ({ members }: Struct | Union): void => this.#options.onLooks?.(members.length);
    const flat = flatMember(this.#spec, type, name, onEnter);
    if (flat !== null) return flat;
    const message = `${describeType(type)} has no such member`;
    throw new WalkFailure('NO_SUCH_MEMBER', message, this.#steps.length, { searched: type });
  }

  #extent(
    at: number,
    typeId: TypeId,
    bitfieldSize: number,
  ): Pick<MemberPlace, 'bitOffset' | 'bitSize' | 'bitfield'> {
    if (bitfieldSize > 0) return { bitOffset: this.#safe(at), bitSize: bitfieldSize, bitfield: true };
    const old = oldBitfieldOf(this.#spec, typeId);
    if (old !== null) return { bitOffset: this.#safe(at + old.bitOffset), bitSize: old.bits, bitfield: true };
    return { bitOffset: this.#safe(at), bitSize: this.#bits(typeId), bitfield: false };
  }

  #bits(typeId: TypeId): number {
    return this.#safe(sizeof(this.#spec, typeId, this.#options) * 8);
  }

  #safe(bits: number): number {
    if (bits <= Number.MAX_SAFE_INTEGER) return bits;
    throw new BtfFormatError('LIMIT_EXCEEDED', 'offset or size is 2^53 bits or more');
  }

  /** The type tags on the target of a pointer, outermost first. */
  #tags(id: TypeId): string[] {
    const targetId = resolveId(this.#spec, id);
    const tags: string[] = [];
    let looks = 0;
    for (let at = id; at !== targetId; at = sizeOrTypeIdOf(this.#spec, at)) {
      if (this.#spec.kindOf(at) === Kind.TYPE_TAG) tags.push(this.#spec.nameOf(at));
      looks += 1;
    }
    this.#options.onLooks?.(looks);
    return tags;
  }

  #failure(problem: MemberProblem, message: string): WalkFailure {
    return new WalkFailure(problem, message, this.#steps.length);
  }

  /** The failure for an error of another query: a type without a size is an error of the path, others are of the BTF. */
  #unreadable({ code, message }: BtfReadError): WalkFailure {
    const problem = code === 'INVALID_ARGUMENT' ? 'NOT_A_STRUCT' : 'UNREADABLE';
    return new WalkFailure(problem, message, this.#steps.length, { code });
  }
}

/** The indices on the way to a member, outermost first. */
function indicesOf(flat: FlatMember): number[] {
  const indices: number[] = [];
  for (let at: FlatMember | null = flat; at !== null; at = at.parent) indices.push(at.index);
  return indices.toReversed();
}
