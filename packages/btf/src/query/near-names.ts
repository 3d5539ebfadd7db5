import { BtfReadError } from '../format-error.js';
import type { Spec } from '../spec.js';
import { searchedBytes } from '../strings.js';
import type { TypeId } from '../types.js';
import { essentialName } from './flavours.js';
import { indexesOfShape } from './name-shapes.js';

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
 * above the limit if it is larger. Both texts have at most 64 characters.
 */
function editDistance(a: string, b: string, limit: number): number {
  let [above, row] = ROWS;
  for (let j = 0; j <= b.length + 1; j++) above[j] = j <= limit ? j : FAR;
  for (let i = 0; i < a.length; i++) {
    // Cells farther from the diagonal than the limit are above it.
    const from = Math.max(0, i - limit);
    const to = Math.min(b.length - 1, i + limit);
    const code = a.charCodeAt(i);
    row[from] = from === 0 ? i + 1 : FAR;
    let least = row[from] ?? FAR;
    for (let j = from; j <= to; j++) {
      const replaced = (above[j] ?? FAR) + (code === b.charCodeAt(j) ? 0 : 1);
      const distance = Math.min(replaced, (above[j + 1] ?? FAR) + 1, (row[j] ?? FAR) + 1);
      row[j + 1] = distance;
      if (distance < least) least = distance;
    }
    row[to + 2] = FAR;
    // No way to the end is shorter than the best one so far.
    if (least > limit) return least;
    [above, row] = [row, above];
  }
  return above[b.length] ?? FAR;
}

/** More than any distance, and less than a byte overflows at. */
const FAR = 200;

/** The rows of {@link editDistance}, which is called for thousands of names. */
const ROWS: readonly [Uint8Array, Uint8Array] = [
  new Uint8Array(MAX_LENGTH + 2),
  new Uint8Array(MAX_LENGTH + 2),
];

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
 * only differ in their flavour, such as `task_struct___old`. It looks at the first 262,144 types. Never throws: it returns
 * nothing if a name is malformed.
 */
export function nearTypeNames(spec: Spec, name: string, options: NearTypeOptions = {}): string[] {
  if (name.length > MAX_LENGTH) return [];
  try {
    const [misspelt, flavours] = [new Set<string>(), new Set<string>()];
    for (const [other, isFlavour] of namesLike(spec, name, options))
      (isFlavour ? flavours : misspelt).add(other);
    return [...flavours, ...nearNames(name, misspelt, MOST)].slice(0, SUGGESTED);
  } catch (error) {
    if (error instanceof BtfReadError) return [];
    throw error;
  }
}

/** Yields the names of about the same length, and those with the same name but for a flavour, and which of both they are. */
function* namesLike(
  spec: Spec,
  name: string,
  { kinds = null, firstId = 1 }: NearTypeOptions,
): Generator<[name: string, isFlavour: boolean], void, undefined> {
  if (spec.base !== null && firstId < spec.firstTypeId) yield* namesLike(spec.base, name, { kinds, firstId });
  const essential = essentialName(name);
  const { length } = name;
  const firstByte = searchedBytes(name)?.[0] ?? 0;
  const shape = { firstByte, least: length - MOST, most: length + MOST, orLength: essential.length, kinds };
  for (const index of indexesOfShape(spec, shape)) {
    const id = spec.firstTypeId + index;
    if (id < firstId) continue;
    const other = spec.nameOf(id);
    if (other === '' || other === name || other[0] !== name[0] || other.length > MAX_LENGTH) continue;
    const isFlavour = other === essential || (other.includes('___') && essentialName(other) === essential);
    if (isFlavour || Math.abs(other.length - length) <= MOST) yield [other, isFlavour];
  }
}
