import { BtfFormatError } from '../format-error.js';
import { type Spec, typesOf } from '../spec.js';
import type { TypeId } from '../types.js';
import { essentialName } from './flavours.js';

/** Maximum number and length of the names to compare: only BTF that is not worth the time has more or longer ones. */
const MAX_NAMES = 4096;
const MAX_LENGTH = 64;

/** Maximum number of pairs of characters to compare: some milliseconds. 4,096 names of 16 characters take as many. */
const MAX_PAIRS = 2 ** 20;

/** Maximum number of names to suggest. */
const SUGGESTED = 3;

/**
 * nearNames returns the known names that a misspelt name may have been meant to be: three at most, nearest first. It
 * compares by Levenshtein distance, and only the first 4,096 names, of at most 64 characters: fewer if they are long.
 *
 * @param most how many characters may differ; never more than a third of the name.
 */
export function nearNames(name: string, names: Iterable<string>, most = MAX_LENGTH): string[] {
  if (name.length > MAX_LENGTH) return [];
  const limit = Math.min(most, Math.ceil(name.length / 3));
  const near: { readonly name: string; readonly distance: number }[] = [];
  let compared = 0;
  let pairs = 0;
  for (const other of names) {
    compared += 1;
    if (compared > MAX_NAMES || pairs > MAX_PAIRS) break;
    if (other.length > MAX_LENGTH || Math.abs(other.length - name.length) > limit) continue;
    pairs += name.length * other.length;
    const distance = editDistance(name, other, limit);
    if (distance <= limit) near.push({ name: other, distance });
  }
  return near
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, SUGGESTED)
    .map((found) => found.name);
}

/**
 * The number of characters to insert, remove or replace to turn one text into the other (Levenshtein distance); some number
 * above the limit if it is larger.
 */
function editDistance(a: string, b: string, limit: number): number {
  let above = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const row = [i + 1];
    let least = i + 1;
    for (let j = 0; j < b.length; j++) {
      const replaced = (above[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      const distance = Math.min(replaced, (above[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1);
      row.push(distance);
      if (distance < least) least = distance;
    }
    // No way to the end is shorter than the best one so far.
    if (least > limit) return least;
    above = row;
  }
  return above[b.length] ?? 0;
}

/** Maximum number of types to look at, more than any kernel has. */
const MAX_TYPES = 2 ** 18;

/** Maximum distance. Among the thousands of names of a kernel, some differ little by chance. */
const MOST = 2;

/** NearTypeOptions are the options of {@link nearTypeNames}. */
export interface NearTypeOptions {
  /** The numbers of the kinds (see `Kind`) to suggest. Default: all. */
  readonly kinds?: readonly number[] | null;
  /** The first id to look at. Default: 1, the first of the base. */
  readonly firstId?: TypeId;
}

/**
 * nearTypeNames returns the names of types that a misspelt name may have been meant to be: three at most, nearest
 * first. It only compares names that begin with the same character and have about the same length, and finds names that
 * only differ in their flavour, such as `task_struct___old`. It looks at a bounded number of types. Never throws: it
 * returns nothing if a name is malformed.
 */
export function nearTypeNames(spec: Spec, name: string, options: NearTypeOptions = {}): string[] {
  if (name.length > MAX_LENGTH) return [];
  try {
    const [misspelt, flavours] = [new Set<string>(), new Set<string>()];
    for (const other of namesLike(spec, name, options)) {
      (essentialName(other) === essentialName(name) ? flavours : misspelt).add(other);
    }
    return [...flavours, ...nearNames(name, misspelt, MOST)].slice(0, SUGGESTED);
  } catch (error) {
    if (error instanceof BtfFormatError) return [];
    throw error;
  }
}

/** Yields the names of about the same length, and those with the same name but for a flavour. */
function* namesLike(
  spec: Spec,
  name: string,
  { kinds = null, firstId = 1 }: NearTypeOptions,
): Generator<string, void, undefined> {
  const essential = essentialName(name);
  for (const id of idsLike(spec, name, firstId)) {
    if (kinds !== null && !kinds.includes(spec.kindOf(id))) continue;
    const other = spec.nameOf(id);
    if (other === '' || other === name || other[0] !== name[0] || other.length > MAX_LENGTH) continue;
    const isAsLong = Math.abs(other.length - name.length) <= MOST;
    if (isAsLong || (other.includes('___') && essentialName(other) === essential) || other === essential)
      yield other;
  }
}

/** Yields the types whose names begin with the same byte. Most types of a kernel are passed over without reading their names. */
function* idsLike(spec: Spec, name: string, firstId: TypeId): Generator<TypeId, void, undefined> {
  if (spec.base !== null && firstId < spec.firstTypeId) yield* idsLike(spec.base, name, firstId);
  const [byte = 0] = new TextEncoder().encode(name);
  const { source, offsets } = typesOf(spec);
  const first = Math.max(0, firstId - spec.firstTypeId);
  const end = Math.min(offsets.length, first + MAX_TYPES);
  for (let index = first; index < end; index++) {
    const at = source.words.u32(offsets[index] ?? 0);
    if (source.strings.byteAt(at) === byte) yield spec.firstTypeId + index;
  }
}
