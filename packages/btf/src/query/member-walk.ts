import { BtfFormatError, type BtfFormatErrorCode } from '../format-error.js';
import type { Spec } from '../spec.js';
import type { Struct, Type, TypeId, Union } from '../types.js';
import { describeType, isAlias, resolve } from './resolve.js';
import { type FlatMember, flatMembers } from './flat-members.js';
import { follow } from './follow.js';
import { MemberPathError, type PathStep } from './member-path.js';
import type { Dereference, MemberPlace, MemberStep, ResolveOptions, ResolvedMember } from './member-place.js';
import { definitionOf } from './member-root.js';
import { nearNames } from './near-names.js';
import { sizeof } from './sizeof.js';

type Start = Pick<MemberPlace, 'containerId' | 'bitOffset'>;

/** Advice for types without members. */
const ADVICE = new Map<Type['kind'], string>([
  ['ARRAY', ': give an index'],
  ['PTR', ': it is a pointer itself, give an index'],
  ['FWD', ': it is declared, but not defined here'],
]);

/** MemberWalk follows one path from type to type. */
export class MemberWalk {
  readonly #spec: Spec;
  readonly #root: Type;
  readonly #options: ResolveOptions;
  readonly #steps: MemberStep[] = [];
  readonly #dereferences: Dereference[] = [];
  /** The path followed so far, for errors. */
  #path: string;

  constructor(spec: Spec, root: Type, rootName: string, options: ResolveOptions) {
    this.#spec = spec;
    this.#root = root;
    this.#path = rootName;
    this.#options = options;
  }

  /**
   * walk follows the path. It can be called once.
   *
   * @throws MemberPathError with the step that fails.
   */
  walk(steps: readonly PathStep[]): ResolvedMember {
    const { id } = this.#root;
    let place: MemberPlace = { containerId: id, bitOffset: 0, bitSize: 0, bitfield: false, typeId: id };
    try {
      if (steps.length === 0) place = { ...place, bitSize: this.#bits(id) };
      for (const step of steps) {
        this.#path += 'member' in step ? `.${step.member}` : `[${step.index}]`;
        place = 'member' in step ? this.#member(place, step.member) : this.#element(place, step.index);
      }
    } catch (error) {
      if (!(error instanceof BtfFormatError) || error instanceof MemberPathError) throw error;
      throw this.#failure(error.code, error.message);
    }
    return { rootId: id, ...place, dereferences: this.#dereferences, steps: this.#steps };
  }

  #member(place: MemberPlace, name: string): MemberPlace {
    let type: Type = resolve(this.#spec, place.typeId);
    let start: Start = place;
    if (type.kind === 'PTR') {
      this.#cross(place, type.typeId);
      type = definitionOf(this.#spec, resolve(this.#spec, type.typeId));
      start = { containerId: type.id, bitOffset: 0 };
    }
    if (type.kind !== 'STRUCT' && type.kind !== 'UNION') {
      throw this.#failure(
        'INVALID_ARGUMENT',
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
      throw this.#failure('INVALID_ARGUMENT', `${describeType(type)} has no elements`);
    }
    if (type.kind === 'ARRAY' && type.nelems > 0 && index >= type.nelems) {
      throw this.#failure('NOT_FOUND', `the array has ${type.nelems} elements`);
    }
    let start: Start = place;
    if (type.kind === 'PTR') {
      this.#cross(place, type.typeId);
      start = { containerId: resolve(this.#spec, type.typeId).id, bitOffset: 0 };
    }
    const { typeId } = type;
    const bitSize = this.#bits(typeId);
    const bitOffset = this.#safe(start.bitOffset + index * bitSize);
    const found = { containerId: start.containerId, bitOffset, bitSize, bitfield: false, typeId };
    return this.#arrive({
      name: `[${index}]`,
      ...found,
      dereferences: this.#dereferences.length,
      indices: [index],
    });
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
    let looks = 0;
    try {
      for (const flat of flatMembers(this.#spec, type)) {
        looks += 1;
        if (flat.member.name === name) return flat;
      }
    } finally {
      this.#options.onLooks?.(looks);
    }
    const near = this.#options.suggest === false ? [] : nearNames(name, this.#names(type));
    throw this.#failure('NOT_FOUND', `${describeType(type)} has no such member`, near);
  }

  *#names(type: Struct | Union): Generator<string, void, undefined> {
    for (const { member } of flatMembers(this.#spec, type)) yield member.name;
  }

  #extent(
    at: number,
    typeId: TypeId,
    bitfieldSize: number,
  ): Pick<MemberPlace, 'bitOffset' | 'bitSize' | 'bitfield'> {
    if (bitfieldSize > 0) return { bitOffset: this.#safe(at), bitSize: bitfieldSize, bitfield: true };
    const type = resolve(this.#spec, typeId);
    // Before the kind flag of structs (Linux 4.20), a bitfield was an INT of its own with an offset and fewer bits.
    if (type.kind === 'INT' && (type.bitOffset !== 0 || type.bits !== type.size * 8)) {
      return { bitOffset: this.#safe(at + type.bitOffset), bitSize: type.bits, bitfield: true };
    }
    return { bitOffset: this.#safe(at), bitSize: this.#bits(typeId), bitfield: false };
  }

  #bits(typeId: TypeId): number {
    return this.#safe(sizeof(this.#spec, typeId, this.#options) * 8);
  }

  #safe(bits: number): number {
    if (bits <= Number.MAX_SAFE_INTEGER) return bits;
    throw this.#failure('LIMIT_EXCEEDED', 'offset or size is 2^53 bits or more');
  }

  /** The type tags on the target of a pointer, outermost first. */
  #tags(id: TypeId): string[] {
    resolve(this.#spec, id);
    const tags: string[] = [];
    let looks = 0;
    let type = this.#spec.typeById(id);
    while (isAlias(type)) {
      if (type.kind === 'TYPE_TAG') tags.push(type.name);
      type = follow(this.#spec, type.id, type.typeId);
      looks += 1;
    }
    this.#options.onLooks?.(looks);
    return tags;
  }

  #failure(code: BtfFormatErrorCode, message: string, near: readonly string[] = []): MemberPathError {
    return new MemberPathError(code, this.#path, message, this.#steps.length, near);
  }
}

/** The indices on the way to a member, outermost first. */
function indicesOf(flat: FlatMember): number[] {
  const indices: number[] = [];
  for (let at: FlatMember | null = flat; at !== null; at = at.parent) indices.push(at.index);
  return indices.toReversed();
}
