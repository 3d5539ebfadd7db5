import { TypeReader } from '../decode/type-reader.js';
import { BtfFormatError } from '../format-error.js';
import { HEAD_WORDS, isComposite } from '../kind-words.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { Holders } from './holders.js';
import { TargetChains } from './target-chains.js';
import { ValueTypes } from './value-types.js';

/** MemberUse is a member whose type contains a type that was looked for, or points to it. */
export interface MemberUse {
  /** The struct or union; the typedef of a struct or union that has no name itself. */
  readonly typeId: TypeId;
  /** Its name; empty if it has none and no typedef either. */
  readonly name: string;
  /**
   * The path from there to the member, for `resolveMember`: `se.run_node`. An array on the way has the index 0, as in
   * `pidlinks[0].pid_links`. Members without a name are left out, as in C.
   */
  readonly path: string;
  /** Bits from the start of the struct or union, in the first element of each array on the way. */
  readonly bitOffset: number;
  /** Width in bits; 0 if the member is not a bitfield. */
  readonly bitfieldSize: number;
  readonly memberTypeId: TypeId;
  /** Number of pointers from the member to the type; 0 if it contains the type. */
  readonly pointers: number;
}

/** MemberUseOptions are the options of {@link membersContaining} and {@link membersPointingTo}. */
export interface MemberUseOptions {
  /**
   * Whether the members of structs and unions that are members count too, at any depth. Members of those without a name always
   * count. Default: false.
   */
  readonly nested?: boolean;
  /** The first id of the structs and unions to search; 1 for those of the base too. Default: `spec.firstTypeId`. */
  readonly firstId?: TypeId;
}

/** Maximum depth of structs within each other. The kernel accepts 32 levels. */
const MAX_DEPTH = 64;

/** Maximum number of members to look at: some tenths of a second. The most common type of a kernel takes 150,000. */
const MAX_STEPS = 2 ** 21;

/** Maximum length of all paths. The most common type of a kernel takes a few megabytes. */
const MAX_TEXT = 64 * 1024 * 1024;

const MEMBER_WORDS = 3;

/**
 * membersContaining finds the members that contain a type: structs with a `struct list_head`, for example. A member contains
 * the type if it is the type, or an array of it, also through typedefs, qualifiers and type tags. So with the id of `struct
 * spinlock` it finds members of type `spinlock_t`, and with that of the typedef only these. Modelled on `pahole --contains`,
 * which only finds members whose type is the very type.
 *
 * Members of a struct or union without a name belong to the one around it. Types are not decoded. A search takes some
 * milliseconds for a kernel. References to types that do not exist are ignored.
 *
 * @param targets the ids of the type: several for a name that several types have.
 * @returns the members in the order of the ids of their structs.
 * @throws BtfLookupError `NOT_FOUND` if there is no type with one of the ids.
 * @throws BtfFormatError `MALFORMED` if the name of a member lies outside the string section.
 * @throws BtfFormatError `LIMIT_EXCEEDED` for more than 64 levels of structs, more than 2 million members on the way, and more
 * than 64 MiB of paths.
 */
export function membersContaining(
  spec: Spec,
  targets: Iterable<TypeId>,
  options: MemberUseOptions = {},
): Generator<MemberUse, void, undefined> {
  return new MemberSearch(spec, targets, options, (pointers) => pointers === 0).uses();
}

/**
 * membersPointingTo finds the members that point to a type: `struct task_struct *parent`, for example. A member points to
 * the type if it is a pointer to it, or an array of pointers, also through typedefs, qualifiers and type tags, and through
 * several pointers. Modelled on `pahole --find_pointers_to`, which only finds members that are one pointer to the very type.
 *
 * Otherwise it is like {@link membersContaining}. A pointer to a function that takes the type is not a pointer to the type.
 *
 * @throws BtfReadError as {@link membersContaining} does.
 */
export function membersPointingTo(
  spec: Spec,
  targets: Iterable<TypeId>,
  options: MemberUseOptions = {},
): Generator<MemberUse, void, undefined> {
  return new MemberSearch(spec, targets, options, (pointers) => pointers > 0).uses();
}

interface Frame {
  readonly typeId: TypeId;
  readonly vlen: number;
  readonly kindFlag: boolean;
  next: number;
  /** The path to it; empty for the struct that is searched. */
  readonly path: string;
  readonly bitOffset: number;
}

class MemberSearch {
  readonly #spec: Spec;
  readonly #firstId: TypeId;
  readonly #nested: boolean;
  readonly #isWanted: (pointers: number) => boolean;
  readonly #chains: TargetChains;
  readonly #values: ValueTypes;
  readonly #reader: TypeReader;
  /** Reads other types while {@link #reader} is at a struct. */
  readonly #innerReader: TypeReader;
  /** Whether a struct or union has a wanted member, at any depth that counts. */
  readonly #has = new Map<TypeId, boolean>();
  #steps = 0;
  #text = 0;

  constructor(
    spec: Spec,
    targets: Iterable<TypeId>,
    { nested = false, firstId = spec.firstTypeId }: MemberUseOptions,
    isWanted: (pointers: number) => boolean,
  ) {
    this.#spec = spec;
    this.#firstId = firstId;
    this.#nested = nested;
    this.#isWanted = isWanted;
    this.#chains = new TargetChains(spec, targets);
    this.#values = new ValueTypes(spec, nested);
    this.#reader = new TypeReader(spec);
    this.#innerReader = new TypeReader(spec);
  }

  *uses(): Generator<MemberUse, void, undefined> {
    const holders = new Holders(this.#spec, this.#firstId);
    for (let id = Math.max(1, this.#firstId); id < this.#spec.endTypeId; id++) {
      if (!isComposite(this.#spec.kindOf(id))) continue;
      const holder = holders.of(id);
      if (holder !== null && this.#hasWanted(id)) yield* this.#usesIn(id, holder);
    }
  }

  *#usesIn(id: TypeId, holder: TypeId): Generator<MemberUse, void, undefined> {
    const holderName = this.#spec.nameOf(holder);
    const stack = [this.#frame(id, '', 0)];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      if (top.next === top.vlen) {
        stack.pop();
        continue;
      }
      this.#step(top.typeId);
      const word = HEAD_WORDS + MEMBER_WORDS * top.next++;
      this.#reader.open(top.typeId);
      const memberTypeId = this.#reader.u32(word + 1);
      const pointers = this.#wanted(memberTypeId);
      const inner = this.#innerOf(memberTypeId);
      const isEntered = inner !== null && this.#hasWanted(inner.typeId);
      if (pointers === null && !isEntered) continue;
      this.#reader.open(top.typeId);
      const offset = this.#reader.u32(word + 2);
      const bitOffset = top.bitOffset + (top.kindFlag ? offset & 0xffffff : offset);
      const name = this.#reader.name(word);
      const path = top.path === '' || name === '' ? top.path + name : `${top.path}.${name}`;
      this.#countText(path, top.typeId);
      if (pointers !== null) {
        const bitfieldSize = top.kindFlag ? offset >>> 24 : 0;
        yield { typeId: holder, name: holderName, path, bitOffset, bitfieldSize, memberTypeId, pointers };
      }
      if (!isEntered) continue;
      if (stack.length >= MAX_DEPTH) throw tooDeep(top.typeId);
      const element = name === '' ? '' : '[0]'.repeat(Math.min(inner.arrays, MAX_DEPTH));
      stack.push(this.#frame(inner.typeId, `${path}${element}`, bitOffset));
    }
  }

  /** Whether a struct or union has a wanted member, without recursion. One that contains itself is invalid, and ends somewhere. */
  #hasWanted(root: TypeId): boolean {
    if (this.#has.has(root)) return this.#has.get(root) === true;
    const stack = [this.#frame(root, '', 0)];
    this.#has.set(root, false);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      if (this.#has.get(top.typeId) === true || top.next === top.vlen) {
        stack.pop();
        const above = stack.at(-1);
        if (above !== undefined && this.#has.get(top.typeId) === true) this.#has.set(above.typeId, true);
        continue;
      }
      this.#step(top.typeId);
      this.#reader.open(top.typeId);
      const memberTypeId = this.#reader.u32(HEAD_WORDS + MEMBER_WORDS * top.next++ + 1);
      const inner = this.#innerOf(memberTypeId);
      if (this.#wanted(memberTypeId) !== null) {
        this.#has.set(top.typeId, true);
      } else if (inner !== null) {
        const known = this.#has.get(inner.typeId);
        if (known === true) this.#has.set(top.typeId, true);
        if (known !== undefined) continue;
        this.#has.set(inner.typeId, false);
        stack.push(this.#frame(inner.typeId, '', 0));
      }
    }
    return this.#has.get(root) === true;
  }

  #wanted(id: TypeId): number | null {
    const pointers = this.#chains.pointers(id);
    return pointers !== null && this.#isWanted(pointers) ? pointers : null;
  }

  /** The struct or union in a member whose members count: one without a name, and with `nested` any. */
  #innerOf(id: TypeId): { readonly typeId: TypeId; readonly arrays: number } | null {
    const inner = this.#values.of(id);
    if (inner === null || this.#nested) return inner;
    this.#innerReader.open(inner.typeId);
    return this.#innerReader.u32(0) === 0 ? inner : null;
  }

  #frame(typeId: TypeId, path: string, bitOffset: number): Frame {
    this.#reader.open(typeId);
    return { typeId, vlen: this.#reader.vlen, kindFlag: this.#reader.kindFlag, next: 0, path, bitOffset };
  }

  #step(typeId: TypeId): void {
    this.#steps += 1;
    if (this.#steps <= MAX_STEPS) return;
    throw new BtfFormatError('LIMIT_EXCEEDED', `more than ${MAX_STEPS} members to look at`, { typeId });
  }

  #countText(path: string, typeId: TypeId): void {
    this.#text += path.length;
    if (this.#text <= MAX_TEXT) return;
    throw new BtfFormatError('LIMIT_EXCEEDED', `paths of more than ${MAX_TEXT} characters`, { typeId });
  }
}

function tooDeep(typeId: TypeId): BtfFormatError {
  return new BtfFormatError('LIMIT_EXCEEDED', `types nest deeper than ${MAX_DEPTH} levels`, { typeId });
}
