import { BtfFormatError } from '../format-error.js';
import { keptTypeById, type Spec } from '../spec.js';
import type { Member, Struct, TypeId, Union } from '../types.js';
import { followed } from './follow.js';
import { isAlias } from './resolve.js';

/** FlatMember is a member of a struct or union, or of an anonymous struct or union within it. */
export interface FlatMember {
  readonly member: Member;
  /** The index of the member in the struct or union that declares it. */
  readonly index: number;
  /** Bits from the start of the outermost struct or union to the start of the one that declares the member. */
  readonly baseOffset: number;
  /** The anonymous member that contains it; null if the outermost struct or union declares it. */
  readonly parent: FlatMember | null;
}

/** Maximum depth of anonymous structs and unions within each other. Compilers and kernels stay far below it. */
const MAX_DEPTH = 512;

interface Frame {
  readonly members: readonly Member[];
  readonly baseOffset: number;
  readonly parent: FlatMember | null;
  next: number;
}

/**
 * flatMembers iterates over the named members of a struct or union as C names them: the members of an anonymous struct
 * or union take the place of the anonymous member.
 *
 * Each type is entered once, when it is met first. Hostile BTF can nest anonymous unions so that the same types are met
 * again, twice as often with each level. C has each name once, so nothing is lost.
 *
 * @throws BtfFormatError `MALFORMED` if the type of an anonymous member does not exist, or one of its names lies
 * outside the string section.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if more than 512 anonymous members lie within each other, or names are too
 * long.
 */
export function flatMembers(spec: Spec, outer: Struct | Union): Generator<FlatMember, void, undefined> {
  return namedMembers(spec, outer, null, () => undefined);
}

/**
 * flatMember returns the first of the {@link flatMembers} with a name; null if there is none.
 *
 * @param onEnter is called with each struct or union before its members are searched.
 * @throws BtfReadError as {@link flatMembers} does.
 */
export function flatMember(
  spec: Spec,
  outer: Struct | Union,
  name: string,
  onEnter: (entered: Struct | Union) => void,
): FlatMember | null {
  for (const member of namedMembers(spec, outer, name, onEnter)) return member;
  return null;
}

/** @param only - the name of the members to yield; null for all */
function* namedMembers(
  spec: Spec,
  outer: Struct | Union,
  only: string | null,
  onEnter: (entered: Struct | Union) => void,
): Generator<FlatMember, void, undefined> {
  onEnter(outer);
  const entered = new Set<TypeId>([outer.id]);
  const stack: Frame[] = [{ members: outer.members, baseOffset: 0, parent: null, next: 0 }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const index = top.next++;
    const member = top.members[index];
    if (member === undefined) {
      stack.pop();
      continue;
    }
    const { baseOffset } = top;
    if (member.name !== '') {
      if (only === null || member.name === only) yield { member, index, baseOffset, parent: top.parent };
      continue;
    }
    const inner = enter(spec, outer.id, member.typeId, entered);
    if (inner === null) continue;
    onEnter(inner);
    if (stack.length > MAX_DEPTH) throw tooDeep(outer.id);
    const parent = { member, index, baseOffset, parent: top.parent };
    stack.push({ members: inner.members, baseOffset: baseOffset + member.bitOffset, parent, next: 0 });
  }
}

function tooDeep(typeId: TypeId): BtfFormatError {
  const message = `anonymous members nest deeper than ${MAX_DEPTH} levels`;
  return new BtfFormatError('LIMIT_EXCEEDED', message, { typeId });
}

/** The struct or union of an anonymous member; null if it is neither, or was entered before. */
function enter(spec: Spec, from: TypeId, id: TypeId, entered: Set<TypeId>): Struct | Union | null {
  let at = id;
  while (!entered.has(at)) {
    entered.add(at);
    const type = keptTypeById(spec, followed(spec, from, at));
    if (type.kind === 'STRUCT' || type.kind === 'UNION') return type;
    if (!isAlias(type)) return null;
    at = type.typeId;
  }
  return null;
}
