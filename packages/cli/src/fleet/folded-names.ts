import { withRest } from '../output/some-of.js';

/** The numbers of a name that are tried. Names of machines have fewer. */
const MOST_NUMBERS = 8;
/** Longer runs of digits are text, because their numbers are not exact. */
const MOST_DIGITS = 15;

/** FoldedNames is one or more names in short. */
export interface FoldedNames {
  /** `web[1-40,43]` */
  readonly text: string;
  /** How many names it stands for. */
  readonly count: number;
}

/**
 * foldNames writes names of nodes in short: `web[1-40,43]`, `ip-10-0-3-[17-20]`. It folds one number of each name, the one
 * in which most other names differ. Numbers with leading zeros keep them: `web[08-11]`. Names with brackets, commas or quotes
 * are quoted. Nothing is lost: the ranges written out are the names.
 */
export function foldNames(names: readonly string[]): FoldedNames[] {
  const all = [...new Set(names)].toSorted();
  const places = all.map(placesOf);
  const padded = new Set(
    places.flat().flatMap((place) => (/^0./.test(place.digits) ? [shapeOf(place)] : [])),
  );
  // Numbers of different lengths are in one range, unless zeros fill them up to one length.
  const keyOf = (place: Place): string => {
    const shape = padded.size === 0 ? '' : shapeOf(place);
    return padded.has(shape) ? shape : place.around;
  };
  const sizes = new Map<string, number>();
  for (const key of places.flat().map(keyOf)) sizes.set(key, (sizes.get(key) ?? 0) + 1);
  const groups = new Map<string, Group>();
  for (const [index, name] of all.entries()) {
    const place = largest(places[index] ?? [], (each) => sizes.get(keyOf(each)) ?? 0);
    const key = place === null ? name : keyOf(place);
    const group = groups.get(key) ?? { name, place, numbers: [] };
    groups.set(key, group);
    if (place !== null) group.numbers.push(place.digits);
  }
  return [...groups.values()].map(({ name, place, numbers }) =>
    place === null || numbers.length === 1
      ? { text: quoted(name), count: 1 }
      : { text: `${place.before}[${rangesOf(numbers)}]${place.after}`, count: numbers.length },
  );
}

/** someNames writes names in short, and of many parts only the first ones, with the number of the names that it leaves out. */
export function someNames(names: readonly string[], most: number): string {
  const parts = foldNames(names);
  const kept = parts.slice(0, most);
  const left = parts.slice(most).reduce((sum, { count }) => sum + count, 0);
  return withRest(
    kept.map(({ text }) => text),
    left,
  );
}

/** Place is a number in a name, and the text around it. */
interface Place {
  readonly before: string;
  readonly digits: string;
  readonly after: string;
  /** The same for names that differ only in this number. */
  readonly around: string;
}

interface Group {
  readonly name: string;
  readonly place: Place | null;
  readonly numbers: string[];
}

/** Returns the last numbers of a name. */
function placesOf(name: string): Place[] {
  if (isQuoted(name)) return [];
  const runs = [...name.matchAll(/\d+/g)].filter(([digits]) => digits.length <= MOST_DIGITS);
  return runs.slice(-MOST_NUMBERS).map((run) => {
    const [digits] = run;
    const before = name.slice(0, run.index);
    const after = name.slice(run.index + digits.length);
    return { before, digits, after, around: `${before}\0${after}` };
  });
}

/** Returns what is the same for names that differ only in this number, with as many digits. */
function shapeOf({ around, digits }: Place): string {
  return `${around}\0${digits.length}`;
}

/** Returns the place whose group is the largest, the last one of several. */
function largest(places: readonly Place[], sizeOf: (place: Place) => number): Place | null {
  let best: Place | null = null;
  for (const place of places) if (best === null || sizeOf(place) >= sizeOf(best)) best = place;
  return best;
}

/** Writes numbers as `1-40,43`. */
function rangesOf(numbers: readonly string[]): string {
  const ranges: { first: string; last: string }[] = [];
  for (const digits of numbers.toSorted((a, b) => Number(a) - Number(b))) {
    const range = ranges.at(-1);
    if (range !== undefined && Number(digits) === Number(range.last) + 1) range.last = digits;
    else ranges.push({ first: digits, last: digits });
  }
  return ranges.map(({ first, last }) => (first === last ? first : `${first}-${last}`)).join(',');
}

function isQuoted(name: string): boolean {
  return /[[\],"]/.test(name);
}

function quoted(name: string): string {
  return isQuoted(name) ? JSON.stringify(name) : name;
}
