import { Kind, type TypeId } from '@btfd/btf';
import { LONGEST_NAME, type RawBtf } from './raw-btf.js';

/** The tag on the root of a list or tree: `contains:STRUCT:MEMBER`. */
const CONTAINS = 'contains:';
const COLON = ':'.charCodeAt(0);

/**
 * Time of the kernel in nanoseconds, measured on Linux 6.18 (see docs/loads.md): for a type in a search through all types,
 * a member in a search through those of a struct, a character that is compared, and a character of the tag itself, which
 * the kernel copies and searches for a colon.
 */
const NS_PER_TYPE = 10;
const NS_PER_MEMBER = 3;
const NS_PER_CHARACTER = 1.1;
const NS_PER_TAG_CHARACTER = 3;

const MEMBER_WORDS = 3;

/** RootCost is the time for the root of a list or tree, in nanoseconds. */
export interface RootCost {
  /** The search for its tag, and for the struct that the tag names. */
  readonly searchNs: number;
  /** The search for the member that the tag names, which the kernel repeats for each element of an array of roots. */
  readonly memberNs: number;
}

/** The members of a struct, and the characters of all their names. */
interface Members {
  readonly count: number;
  readonly characters: number;
}

/**
 * GraphRoots estimates the cost of the roots of lists and trees. For each, the kernel searches all types for its tag and
 * for the struct of its elements, and compares the name of a member with all members of that struct. Tags and names are
 * looked up in maps, which are built when the first root is found.
 */
export class GraphRoots {
  readonly #btf: RawBtf;
  #tags: Map<number, number> | null = null;
  #structs: {
    readonly byName: Map<string, Members>;
    readonly characters: number;
    readonly count: number;
  } | null = null;
  readonly #costs = new Map<number, RootCost>();

  constructor(btf: RawBtf) {
    this.#btf = btf;
  }

  /** costOf returns the cost of a member that is a root. */
  costOf(structId: TypeId, member: number): RootCost {
    this.#tags ??= this.#findTags();
    const tag = this.#tags.get(keyOf(structId, member)) ?? 0;
    const known = this.#costs.get(tag);
    if (known !== undefined) return known;
    const cost = this.#costOfTag(tag);
    this.#costs.set(tag, cost);
    return cost;
  }

  /** The cost of a tag by the position of its name. Without a tag, 0, the kernel only searches for it. */
  #costOfTag(tag: number): RootCost {
    const btf = this.#btf;
    const all = btf.end * NS_PER_TYPE;
    const colon = tag === 0 ? -1 : btf.find(tag + CONTAINS.length, COLON);
    const scanned = all + btf.nameLength(tag) * NS_PER_TAG_CHARACTER;
    if (colon === -1) return { searchNs: scanned, memberNs: 0 };
    this.#structs ??= this.#findStructs();
    const { byName, characters, count } = this.#structs;
    const length = colon - tag - CONTAINS.length;
    const compared = Math.min(characters, count * (length + 1));
    const searchNs = scanned + compared * NS_PER_CHARACTER;
    const members = length > LONGEST_NAME ? undefined : byName.get(btf.text(tag + CONTAINS.length, colon));
    if (members === undefined) return { searchNs, memberNs: 0 };
    const nodeLength = btf.nameLength(colon + 1);
    const inMembers = Math.min(members.characters, members.count * (nodeLength + 1));
    return { searchNs, memberNs: members.count * NS_PER_MEMBER + inMembers * NS_PER_CHARACTER };
  }

  /** The first tag of each member. The kernel refuses a second one. */
  #findTags(): Map<number, number> {
    const btf = this.#btf;
    const tags = new Map<number, number>();
    for (let id = 1; id < btf.end; id++) {
      if (btf.kind(id) !== Kind.DECL_TAG || !btf.startsWith(btf.nameOffset(id), CONTAINS)) continue;
      const component = btf.element(id, 0, 0, 0);
      if (component >= MEMBERS) continue;
      const key = keyOf(btf.third(id), component);
      if (!tags.has(key)) tags.set(key, btf.nameOffset(id));
    }
    return tags;
  }

  /** The members of the struct with the most, by name: kernels differ in which of several they find. */
  #findStructs() {
    const btf = this.#btf;
    const byName = new Map<string, Members>();
    let characters = 0;
    let count = 0;
    for (let id = 1; id < btf.end; id++) {
      if (btf.kind(id) !== Kind.STRUCT) continue;
      const offset = btf.nameOffset(id);
      count += 1;
      characters += Math.min(btf.nameLength(offset), LONGEST_NAME) + 1;
      const members = this.#membersOf(id);
      const name = btf.name(offset);
      const known = byName.get(name) ?? NO_MEMBERS;
      byName.set(name, {
        count: Math.max(known.count, members.count),
        characters: Math.max(known.characters, members.characters),
      });
    }
    return { byName, characters, count };
  }

  #membersOf(id: TypeId): Members {
    const btf = this.#btf;
    const count = btf.vlen(id);
    let characters = 0;
    for (let index = 0; index < count; index++) {
      const length = btf.nameLength(btf.element(id, MEMBER_WORDS, index, 0));
      characters += Math.min(length, LONGEST_NAME) + 1;
    }
    return { count, characters };
  }
}

const NO_MEMBERS: Members = { count: 0, characters: 0 };

/** A vlen has 24 bits. An id has 20. */
const MEMBERS = 2 ** 24;

function keyOf(typeId: TypeId, component: number): number {
  return typeId * MEMBERS + component;
}
