/** NameTest reports whether a name matches. */
export type NameTest = (name: string) => boolean;

/** GlobError reports a mistake in a glob and its place. */
export class GlobError extends Error {
  override readonly name = 'GlobError';
}

/** The ranges of characters that one place of a glob accepts, or those that it does not. */
interface Place {
  readonly ranges: readonly (readonly [from: number, to: number])[];
  readonly negated: boolean;
}

/** Finds the places of a glob between two stars. Returns the index after them, or -1 if they are not between the two. */
type Search = (name: string, from: number, to: number) => number;

/**
 * compileGlob compiles a glob to a test of names: `*` stands for any characters, `?` for one, `[a-z]` for one in a
 * range, `[!a-z]` or `[^a-z]` for one outside it. It does not use a regular expression, which takes exponential time
 * for some globs. The test reads each character of a name once, and once more for each 32 places of the glob.
 *
 * @throws GlobError for a `[` without its `]`, and for a range whose end comes before its start.
 */
export function compileGlob(glob: string): NameTest {
  const parts = parseParts(glob);
  const shortest = parts.reduce((sum, { length }) => sum + length, 0);
  const [first = [], ...others] = parts;
  const last = others.pop();
  const atStart = searchFor(first);
  if (last === undefined) return (name) => name.length === shortest && atStart(name, 0, shortest) >= 0;
  const atEnd = searchFor(last);
  const between = others.map(searchFor);
  return (name) => {
    if (name.length < shortest) return false;
    const end = name.length - last.length;
    if (atStart(name, 0, first.length) < 0 || atEnd(name, end, name.length) < 0) return false;
    // The first place where each part fits is the best one: it leaves the most for the others.
    let at = first.length;
    for (const search of between) {
      at = search(name, at, end);
      if (at < 0) return false;
    }
    return true;
  };
}

/** isGlob reports whether a text contains a wildcard. */
export function isGlob(text: string): boolean {
  return /[*?[]/.test(text);
}

/** Returns the parts before, between and after the stars. Those between are not empty. */
function parseParts(glob: string): Place[][] {
  const parts: Place[][] = [[]];
  for (let at = 0; at < glob.length; at++) {
    const char = glob.charAt(at);
    if (char === '*') {
      if (parts.length === 1 || parts.at(-1)?.length !== 0) parts.push([]);
    } else if (char === '?') {
      parts.at(-1)?.push({ ranges: [], negated: true });
    } else if (char === '[') {
      const first = isNegation(glob.charAt(at + 1)) ? at + 2 : at + 1;
      // A "]" that comes first stands for itself.
      const end = glob.indexOf(']', first + 1);
      if (end < 0) throw new GlobError(`the "[" at ${at + 1} has no "]"`);
      parts.at(-1)?.push(parseClass(glob, first, end));
      at = end;
    } else {
      parts.at(-1)?.push(literal(char));
    }
  }
  return parts;
}

function isNegation(char: string): boolean {
  return char === '!' || char === '^';
}

function literal(char: string): Place {
  const code = char.charCodeAt(0);
  return { ranges: [[code, code]], negated: false };
}

function parseClass(glob: string, first: number, end: number): Place {
  const ranges: [number, number][] = [];
  for (let at = first; at < end; at++) {
    const from = glob.charAt(at);
    const isRange = glob[at + 1] === '-' && at + 2 < end;
    const to = isRange ? glob.charAt(at + 2) : from;
    if (to < from) throw new GlobError(`the range "${from}-${to}" at ${at + 1} runs backwards`);
    ranges.push([from.charCodeAt(0), to.charCodeAt(0)]);
    if (isRange) at += 2;
  }
  return { ranges: merged(ranges), negated: isNegation(glob.charAt(first - 1)) };
}

/** Returns ranges of the same characters that do not overlap. */
function merged(ranges: readonly [number, number][]): [number, number][] {
  const all: [number, number][] = [];
  for (const [from, to] of ranges.toSorted(([a], [b]) => a - b)) {
    const last = all.at(-1);
    if (last === undefined || from > last[1] + 1) all.push([from, to]);
    else last[1] = Math.max(last[1], to);
  }
  return all;
}

function searchFor(places: readonly Place[]): Search {
  const text = textOf(places);
  if (text !== null) return searchText(text);
  // Made when it is needed: many names are too short, and a glob may only be checked for mistakes.
  let search: Search | null = null;
  return (name, from, to) => (search ??= searchPlaces(places))(name, from, to);
}

/** Returns the text that is the only one to fit, or null if others fit too. */
function textOf(places: readonly Place[]): string | null {
  const codes: number[] = [];
  for (const { ranges, negated } of places) {
    const [[from, to] = [0, -1]] = ranges;
    if (negated || ranges.length !== 1 || from !== to) return null;
    codes.push(from);
  }
  return String.fromCharCode(...codes);
}

function searchText(text: string): Search {
  return (name, from, to) => {
    if (to - from === text.length) return name.startsWith(text, from) ? to : -1;
    const at = name.indexOf(text, from);
    return at >= 0 && at + text.length <= to ? at + text.length : -1;
  };
}

/** Places whose bits fit in one word. */
const WORD_BITS = 32;

/**
 * Searches with one bit for each place (the Shift-And algorithm of Baeza-Yates and Gonnet): bit i is set if the places up
 * to i fit before the current character. So no character is read again, however often the places almost fit.
 */
function searchPlaces(places: readonly Place[]): Search {
  const words = Math.ceil(places.length / WORD_BITS);
  const masks = masksOf(places, words);
  const lastBit = 1 << ((places.length - 1) % WORD_BITS);
  return words === 1 ? searchWord(masks, lastBit) : searchWords(masks, lastBit, words);
}

function searchWord({ bits, rowOf }: Masks, lastBit: number): Search {
  return (name, from, to) => {
    let state = 0;
    for (let at = from; at < to; at++) {
      state = ((state << 1) | 1) & (bits[rowOf(name.charCodeAt(at))] ?? 0);
      if ((state & lastBit) !== 0) return at + 1;
    }
    return -1;
  };
}

function searchWords({ bits, rowOf }: Masks, lastBit: number, words: number): Search {
  return (name, from, to) => {
    const state = new Int32Array(words);
    for (let at = from; at < to; at++) {
      const row = rowOf(name.charCodeAt(at));
      let carry = 1;
      for (let word = 0; word < words; word++) {
        const before = state[word] ?? 0;
        state[word] = ((before << 1) | carry) & (bits[row + word] ?? 0);
        carry = before >>> (WORD_BITS - 1);
      }
      if (((state[words - 1] ?? 0) & lastBit) !== 0) return at + 1;
    }
    return -1;
  };
}

/** The places that accept each character: a bit for each place, in rows of words. */
interface Masks {
  readonly bits: Int32Array;
  /** Returns where the row of a character begins. */
  readonly rowOf: (code: number) => number;
}

/** Characters with a row of their own. Names in C have no others, unless they were made by hand. */
const ASCII = 128;

/** Beyond ASCII, the characters between two bounds of ranges share a row. */
function masksOf(places: readonly Place[], words: number): Masks {
  const bounds = places.flatMap(({ ranges }) => ranges.flatMap(([from, to]) => [from, to + 1]));
  const starts = [...new Set([ASCII, ...bounds.filter((code) => code > ASCII)])].toSorted((a, b) => a - b);
  const rows = ASCII + starts.length;
  const bits = new Int32Array(rows * words);
  // The places that accept what they do not name.
  const others = new Int32Array(words);
  for (const [index, { negated }] of places.entries()) if (negated) flip(others, 0, index);
  for (let row = 0; row < rows; row++) bits.set(others, row * words);
  for (const [index, { ranges }] of places.entries()) {
    for (const [from, to] of ranges)
      for (const row of rowsOf(from, to, starts)) flip(bits, row * words, index);
  }
  return {
    bits,
    rowOf: (code) => (code < ASCII ? code : ASCII + lastUpTo(starts, code)) * words,
  };
}

/** Changes the bit of a place, in the words from an index on. */
function flip(words: Int32Array, from: number, place: number): void {
  const at = from + Math.floor(place / WORD_BITS);
  words[at] = (words[at] ?? 0) ^ (1 << (place % WORD_BITS));
}

/** Returns the rows of the characters of a range. Beyond ASCII, a row begins at each bound of a range. */
function rowsOf(from: number, to: number, starts: readonly number[]): number[] {
  const rows: number[] = [];
  for (let code = from; code <= to && code < ASCII; code++) rows.push(code);
  if (to < ASCII) return rows;
  const last = lastUpTo(starts, to);
  for (let index = lastUpTo(starts, Math.max(from, ASCII)); index <= last; index++) rows.push(ASCII + index);
  return rows;
}

/** Returns the index of the last number of an ascending list that is not above a number. The first never is. */
function lastUpTo(numbers: readonly number[], most: number): number {
  let low = 0;
  for (let high = numbers.length; high - low > 1;) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) <= most) low = middle;
    else high = middle;
  }
  return low;
}
