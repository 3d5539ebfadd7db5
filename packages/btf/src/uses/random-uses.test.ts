import { expect, test } from '@jest/globals';
import { seeded, type Random } from 'test-tools/random';
import { Spec } from '../spec.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { Kind, type Struct, type Type, type TypeId, type Union } from '../types.js';
import { membersContaining, membersPointingTo, type MemberUse } from './member-uses.js';

const SEEDS = 300;
const TYPES = 30;

/**
 * Returns BTF in which structs, unions, typedefs, qualifiers, arrays and tags have a type before them, and pointers any type, so
 * that only chains through pointers can be loops. Half of the structs and members have no name.
 */
function randomBtf(random: Random): Spec {
  const btf = new BtfAssembler('little').type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] });
  for (let id = 2; id <= TYPES; id++) {
    const before = (): TypeId => 1 + random(id - 1);
    const nameOrNone = (start: string): string => (random(2) === 0 ? '' : `${start}${id}`);
    const chance = random(100);
    if (chance < 45) {
      const kindFlag = random(3) === 0;
      const vlen = random(5);
      const members = Array.from({ length: vlen }, (_, i) => {
        const width = kindFlag && random(2) === 0 ? 1 + random(32) : 0;
        return [nameOrNone(`m${i}_`), before(), (width << 24) | (8 * random(1000))];
      });
      btf.type(random(3) === 0 ? Kind.UNION : Kind.STRUCT, nameOrNone('s'), {
        vlen,
        kindFlag,
        sizeOrTypeId: 4096,
        data: members.flat(),
      });
    } else if (chance < 65) btf.type(Kind.PTR, '', { sizeOrTypeId: random(TYPES + 1) });
    else if (chance < 77) btf.type(Kind.TYPEDEF, `t${id}`, { sizeOrTypeId: before() });
    else if (chance < 87) btf.type(Kind.ARRAY, '', { data: [before(), 1, random(3)] });
    else if (chance < 90) btf.type(Kind.FWD, `f${id}`);
    else btf.type([Kind.CONST, Kind.VOLATILE, Kind.RESTRICT][random(3)] ?? 0, '', { sizeOrTypeId: before() });
  }
  return Spec.parse(btf.bytes());
}

interface Search {
  readonly targets: readonly TypeId[];
  readonly nested: boolean;
  readonly firstId: TypeId;
  readonly isPointer: boolean;
}

/** The members that a search must find, by the definition, from decoded types and without anything remembered. */
class NaiveSearch {
  readonly #spec: Spec;
  readonly #search: Search;

  constructor(spec: Spec, search: Search) {
    this.#spec = spec;
    this.#search = search;
  }

  uses(): MemberUse[] {
    return this.#searched().flatMap((type) => {
      if (!isComposite(type)) return [];
      const holder = this.#holderOf(type);
      return holder === null ? [] : this.#usesIn(type, holder, '', 0);
    });
  }

  #searched(): Type[] {
    return Array.from(this.#spec.typeIds(this.#search.firstId), (id) => this.#spec.typeById(id));
  }

  #usesIn(type: Struct | Union, holder: Type, before: string, offset: number): MemberUse[] {
    return type.members.flatMap(({ name, typeId: memberTypeId, bitOffset: place, bitfieldSize }) => {
      const bitOffset = offset + place;
      const path = [before, name].filter((part) => part !== '').join('.');
      const pointers = this.#pointers(memberTypeId, []);
      const isFound = pointers !== null && pointers > 0 === this.#search.isPointer;
      const own = { typeId: holder.id, name: holder.name, path, bitOffset, bitfieldSize, memberTypeId };
      const found = isFound ? [{ ...own, pointers }] : [];
      const { inner, arrays } = this.#valueOf(memberTypeId, this.#search.nested);
      if (inner === null || (inner.name !== '' && !this.#search.nested)) return found;
      const start = name === '' ? before : `${path}${'[0]'.repeat(arrays)}`;
      return [...found, ...this.#usesIn(inner, holder, start, bitOffset)];
    });
  }

  /** A struct without a name is known by its first typedef. It is left out if it has none and another struct has it. */
  #holderOf(type: Struct | Union): Type | null {
    if (type.name !== '') return type;
    for (const typedef of this.#searched()) {
      if (typedef.kind !== 'TYPEDEF') continue;
      const { inner, arrays } = this.#valueOf(typedef.typeId, false);
      if (inner?.id === type.id && arrays === 0) return typedef;
    }
    const isPart = this.#searched().some(
      (other) =>
        isComposite(other) &&
        other.members.some(({ typeId }) => this.#valueOf(typeId, false).inner?.id === type.id),
    );
    return isPart ? null : type;
  }

  /** Number of pointers to a target; null if the type does not lead to one. */
  #pointers(id: TypeId, passed: readonly TypeId[]): number | null {
    if (this.#search.targets.includes(id)) return 0;
    if (id === 0 || passed.includes(id)) return null;
    const type = this.#spec.typeById(id);
    if (!('typeId' in type) || type.kind === 'FUNC') return null;
    const pointers = this.#pointers(type.typeId, [...passed, id]);
    return pointers === null ? null : pointers + (type.kind === 'PTR' ? 1 : 0);
  }

  /** The struct or union that a value of a type consists of, and the number of arrays around it. */
  #valueOf(id: TypeId, typedefs: boolean): { inner: Struct | Union | null; arrays: number } {
    const type = id === 0 ? null : this.#spec.typeById(id);
    if (type !== null && isComposite(type)) return { inner: type, arrays: 0 };
    if (type === null || !('typeId' in type) || type.kind === 'PTR') return { inner: null, arrays: 0 };
    if (type.kind === 'TYPEDEF' && !typedefs) return { inner: null, arrays: 0 };
    const { inner, arrays } = this.#valueOf(type.typeId, typedefs);
    return { inner, arrays: arrays + (type.kind === 'ARRAY' ? 1 : 0) };
  }
}

function isComposite(type: Type): type is Struct | Union {
  return type.kind === 'STRUCT' || type.kind === 'UNION';
}

test('the members that are found in random BTF are those of the definition', () => {
  const counts = { direct: 0, inner: 0, pointers: 0, arrays: 0, typedefs: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = seeded(seed);
    const spec = randomBtf(random);
    for (let i = 0; i < 8; i++) {
      const targets = Array.from({ length: 1 + random(2) }, () => 1 + random(TYPES));
      const firstId = random(4) === 0 ? 1 + random(TYPES) : 1;
      const search = { targets, firstId, nested: random(2) === 0, isPointer: random(2) === 0 };
      const find = search.isPointer ? membersPointingTo : membersContaining;
      const found = [...find(spec, targets, search)];
      expect({ seed, search, found }).toEqual({ seed, search, found: new NaiveSearch(spec, search).uses() });
      for (const { path, pointers, typeId } of found) {
        counts[path.includes('.') ? 'inner' : 'direct'] += 1;
        if (pointers > 0) counts.pointers += 1;
        if (path.includes('[0]')) counts.arrays += 1;
        if (spec.kindOf(typeId) === Kind.TYPEDEF) counts.typedefs += 1;
      }
    }
  }
  // Each kind of result occurs.
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(20);
});
