import { BtfFormatError } from '../format-error.js';
import { formatTypeName } from '../print/type-name.js';
import type { Spec } from '../spec.js';
import type { Struct, TypeId, Union } from '../types.js';
import { memberTags } from './tag-facts.js';

/** MemberFact is the place and the type of a member. */
export interface MemberFact {
  /** Its name, after the names of the anonymous types around it: `list.next`, `slots[].flags`. */
  readonly name: string;
  /** Its type as C. An anonymous type is `struct { ... }`, and its members follow. */
  readonly type: string;
  /** Bits from the start of the type, or from the start of the element after an array or pointer. */
  readonly bitOffset: number;
  /** Width in bits; 0 if it is not a bitfield. */
  readonly bitfieldSize: number;
  /** Its declaration tags. */
  readonly tags: readonly string[];
}

/** The kernel's limit on nested types, and more members than any real type has. */
const MAX_DEPTH = 32;
const MAX_MEMBERS = 65_536;

/** memberFacts returns the members of a struct or union, including those of anonymous types in it. */
export function memberFacts(spec: Spec, type: Struct | Union): MemberFact[] {
  const facts: MemberFact[] = [];
  addMembers(spec, type, { prefix: '', start: 0, depth: 1 }, facts);
  return facts;
}

interface Place {
  readonly prefix: string;
  /** Bits from the start of the type or the element that offsets count from. */
  readonly start: number;
  readonly depth: number;
}

function addMembers(
  spec: Spec,
  type: Struct | Union,
  { prefix, start, depth }: Place,
  facts: MemberFact[],
): void {
  if (depth > MAX_DEPTH) {
    throw new BtfFormatError('LIMIT_EXCEEDED', `anonymous types nest deeper than ${MAX_DEPTH} levels`, {
      typeId: type.id,
    });
  }
  const tags = memberTags(spec, type.id);
  for (const [index, { name, typeId, bitOffset, bitfieldSize }] of type.members.entries()) {
    if (facts.length >= MAX_MEMBERS) {
      throw new BtfFormatError('LIMIT_EXCEEDED', `a type has more than ${MAX_MEMBERS} members`, {
        typeId: type.id,
      });
    }
    const at = start + bitOffset;
    const inner = anonymousOf(spec, typeId);
    if (name !== '' || inner === null) {
      facts.push({
        name: prefix + name,
        type: formatTypeName(spec, typeId),
        bitOffset: at,
        bitfieldSize,
        tags: tags.get(index) ?? [],
      });
    }
    if (inner === null) continue;
    const innerPrefix = name === '' ? prefix : `${prefix}${name}${inner.access}`;
    addMembers(
      spec,
      inner.type,
      { prefix: innerPrefix, start: inner.access === '.' ? at : 0, depth: depth + 1 },
      facts,
    );
  }
}

interface Anonymous {
  readonly type: Struct | Union;
  /** The access from the member to it in C. */
  readonly access: string;
}

/** Returns the anonymous struct or union that a member is, or that its arrays and pointers lead to; null if there is none. */
function anonymousOf(spec: Spec, id: TypeId): Anonymous | null {
  let access = '.';
  let at = id;
  for (let steps = 0; steps < MAX_DEPTH; steps++) {
    const type = spec.typeById(at);
    switch (type.kind) {
      case 'STRUCT':
      case 'UNION':
        return type.name === '' ? { type, access } : null;
      case 'ARRAY':
        access = access === '.' ? '[].' : `[]${access}`;
        break;
      case 'PTR':
        access = '->';
        break;
      case 'CONST':
      case 'VOLATILE':
      case 'RESTRICT':
      case 'TYPE_TAG':
        break;
      default:
        return null;
    }
    at = type.typeId;
  }
  return null;
}
