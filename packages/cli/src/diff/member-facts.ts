import { BtfFormatError, formatTypeName, type Spec, type Struct, type TypeId, type Union } from '@btfd/btf';
import { memberTags } from './tag-facts.js';

/** MemberFact is where a member lies and what it is. */
export interface MemberFact {
  /** Its name, behind those of the anonymous types that it lies in: `list.next`, `slots[].flags`. */
  readonly name: string;
  /** Its type as C; what is anonymous shows as `struct { ... }`, and its members follow. */
  readonly type: string;
  /** Bits from the start of the type or, behind an array or pointer, of the element. */
  readonly bitOffset: number;
  /** Width in bits; 0 where it is no bitfield. */
  readonly bitfieldSize: number;
  /** Its declaration tags. */
  readonly tags: readonly string[];
}

/** As deep as the kernel lets types nest, and as many members as no real type has. */
const MAX_DEPTH = 32;
const MAX_MEMBERS = 65_536;

/** memberFacts are the members of a struct or union, those of anonymous types within it included. */
export function memberFacts(spec: Spec, type: Struct | Union): MemberFact[] {
  const facts: MemberFact[] = [];
  addMembers(spec, type, { prefix: '', start: 0, depth: 1 }, facts);
  return facts;
}

interface Place {
  readonly prefix: string;
  /** Bits from the start of what offsets count from. */
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
    const inner = anonymousBehind(spec, typeId);
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
  /** How C gets from the member to it. */
  readonly access: string;
}

/** The anonymous struct or union that a member is, or that its arrays and pointers lead to; null where there is none. */
function anonymousBehind(spec: Spec, id: TypeId): Anonymous | null {
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
