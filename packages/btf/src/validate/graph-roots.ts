import { HEAD_WORDS } from '../kind-words.js';
import { Kind, type TypeId } from '../types.js';
import { latin1At, type RawTypes } from './raw-types.js';
import type { SpecialKind } from './special-kinds.js';

/** No name is longer: the first pass rejects it. */
const MAX_NAME = 512;

const CONTAINS = 'contains:';

/** The name that the kernel uses for a member without one. */
const ANONYMOUS = '(anon)';

/** GraphRoot is the contents of a list or tree, from the `contains:` tag of its root. */
export interface GraphRoot {
  /** The struct type of its elements. */
  readonly valueId: TypeId;
  /** The member of that struct that links the elements. */
  readonly nodeName: string;
}

interface NamedMember {
  readonly index: number;
  readonly repeated: boolean;
}

/**
 * GraphRoots finds the contents of the roots of lists and trees. Tags, structs by name and members by name are looked
 * up in maps that are built once, when the first root is found: the kernel's own search is quadratic.
 */
export class GraphRoots {
  readonly #types: RawTypes;
  /** The string offset of a member's tag; null if it has several. */
  #tags: Map<number, number | null> | null = null;
  #structs: Map<string, TypeId> | null = null;
  readonly #members = new Map<TypeId, Map<string, NamedMember>>();
  readonly #parsed = new Map<number, GraphRoot | string>();

  constructor(types: RawTypes) {
    this.#types = types;
  }

  /** rootOf reads the tag on a member. It returns a text if the tag is invalid. */
  rootOf(structId: TypeId, member: number): GraphRoot | string {
    this.#tags ??= this.#indexTags();
    const tag = this.#tags.get(keyOf(structId, member));
    if (tag === undefined) return 'Root without contains: tag (EINVAL)';
    if (tag === null) return 'Root with several contains: tags (EINVAL)';
    const known = this.#parsed.get(tag) ?? this.#parse(tag);
    this.#parsed.set(tag, known);
    return known;
  }

  /** problemOf returns the problem of the node that a root refers to; null if there is none. */
  problemOf({ valueId, nodeName }: GraphRoot, node: SpecialKind): string | null {
    const member = this.#membersOf(valueId).get(nodeName);
    if (member === undefined) return 'contains: tag names no member (ENOENT)';
    if (member.repeated) return 'contains: tag names several members (EINVAL)';
    const types = this.#types;
    const at = HEAD_WORDS + member.index * 3;
    const typeId = types.word(valueId, at + 1);
    const isNode =
      types.kind(typeId) === Kind.STRUCT &&
      latin1At(types.strings, types.nameOffset(typeId), node.name.length + 1) === node.name;
    if (!isNode) return `contains: tag names a member that is not a ${node.name} (EINVAL)`;
    return types.word(valueId, at + 2) % (node.align * 8) === 0
      ? null
      : `contains: tag names a ${node.name} that is not aligned (EINVAL)`;
  }

  #indexTags(): Map<number, number | null> {
    const types = this.#types;
    const tags = new Map<number, number | null>();
    for (let id = 1; id < types.end; id++) {
      if (types.kind(id) !== Kind.DECL_TAG) continue;
      const component = types.word(id, HEAD_WORDS) | 0;
      const name = types.nameOffset(id);
      if (component < 0 || latin1At(types.strings, name, CONTAINS.length) !== CONTAINS) continue;
      const key = keyOf(types.third(id), component);
      tags.set(key, tags.has(key) ? null : name);
    }
    return tags;
  }

  #parse(tag: number): GraphRoot | string {
    const { strings } = this.#types;
    const start = tag + CONTAINS.length;
    let colon = start;
    for (let byte = strings.byteAt(colon); byte !== 0 && byte !== COLON; byte = strings.byteAt(colon)) {
      colon += 1;
    }
    if (strings.byteAt(colon) === 0) return 'contains: tag without a member (EINVAL)';
    const length = colon - start;
    this.#structs ??= this.#indexStructs();
    const valueId = length > MAX_NAME ? undefined : this.#structs.get(latin1At(strings, start, length));
    if (valueId === undefined) return 'contains: tag names no struct (ENOENT)';
    // No member has a longer name, whether it is cut or not.
    const nodeName = latin1At(strings, colon + 1, MAX_NAME + 1);
    return nodeName === '' ? 'contains: tag without a member (EINVAL)' : { valueId, nodeName };
  }

  /** The first struct of each name, which may be empty. */
  #indexStructs(): Map<string, TypeId> {
    const types = this.#types;
    const structs = new Map<string, TypeId>();
    for (let id = 1; id < types.end; id++) {
      if (types.kind(id) !== Kind.STRUCT) continue;
      const name = latin1At(types.strings, types.nameOffset(id), MAX_NAME);
      if (!structs.has(name)) structs.set(name, id);
    }
    return structs;
  }

  #membersOf(structId: TypeId): Map<string, NamedMember> {
    const known = this.#members.get(structId);
    if (known !== undefined) return known;
    const types = this.#types;
    const members = new Map<string, NamedMember>();
    const count = types.vlen(structId);
    for (let index = 0; index < count; index++) {
      const offset = types.word(structId, HEAD_WORDS + index * 3);
      const name = offset === 0 ? ANONYMOUS : latin1At(types.strings, offset, MAX_NAME);
      const first = members.get(name);
      members.set(name, { index: first?.index ?? index, repeated: first !== undefined });
    }
    this.#members.set(structId, members);
    return members;
  }
}

const COLON = 0x3a;

/** A vlen has 24 bits, an id 20. */
function keyOf(typeId: TypeId, component: number): number {
  return typeId * 2 ** 24 + component;
}
