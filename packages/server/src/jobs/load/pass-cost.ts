import { Kind, KINDS, type TypeId } from '@btfd/btf';
import { LONGEST_NAME, type RawBtf } from './raw-btf.js';
import { NS_PER_MODIFIER } from './special-types.js';

/** Elements of types visited in a step: a few milliseconds. */
const ELEMENTS_PER_STEP = 100_000;

/** The kernel reads this much of a name to check it. */
const CHECKED_CHARACTERS = LONGEST_NAME + 1;

/**
 * Time of the kernel in nanoseconds, measured on Linux 6.18 (see docs/loads.md): for a type, an element of a type (such
 * as a member) and a character of its name; for a parameter that it reads again for a function; and, while it writes a
 * log, for a line, an element and a character of a name.
 */
const NS_PER_TYPE = 150;
const NS_PER_ELEMENT = 60;
const NS_PER_CHARACTER = 0.8;
const NS_PER_PARAM = 1;
const NS_PER_LINE = 300;
const NS_PER_LOGGED_ELEMENT = 150;
const NS_PER_LOGGED_CHARACTER = 1;

/** The words of an element that begins with a name, by kind; 0 for other kinds. */
const NAMED_WORDS = Uint8Array.from({ length: 128 }, (_, kind) => {
  const name = Object.entries(Kind).find(([, number]) => number === kind)?.[0];
  const row = Object.entries(KINDS).find(([key]) => key === name)?.[1];
  return row?.eachNamed === true ? row.each : 0;
});

/** PassCost is the time of the kernel's passes over all types, in nanoseconds. */
export interface PassCost {
  readonly checkNs: number;
  /** The time to write the log, which adds to that of the check. */
  readonly logNs: number;
}

/**
 * passCost estimates how long the kernel takes to read each type and, for each function, all parameters of its prototype.
 * A million functions may share one prototype. The log repeats the names of all types and parameters, and millions of
 * them may share one name of megabytes. The generator yields when other jobs may have a turn.
 */
export function* passCost(btf: RawBtf): Generator<null, PassCost, void> {
  let checkNs = 0;
  let logNs = 0;
  let elements = 0;
  for (let id = 1; id < btf.end; id++) {
    const kind = btf.kind(id);
    const count = btf.elements(id);
    elements += 1 + count;
    if (elements >= ELEMENTS_PER_STEP) {
      elements = 0;
      yield null;
    }
    const length = btf.nameLength(btf.nameOffset(id));
    const names = NAMED_WORDS[kind] === 0 ? NO_NAMES : namesOf(btf, id, NAMED_WORDS[kind] ?? 0);
    checkNs += NS_PER_TYPE + count * NS_PER_ELEMENT;
    checkNs += (Math.min(length, CHECKED_CHARACTERS) + names.checked) * NS_PER_CHARACTER;
    // The kernel stops at an id that does not exist, but has checked the functions before it.
    if (kind === Kind.FUNC) checkNs += paramsOf(btf, btf.third(id)) * NS_PER_PARAM;
    logNs += NS_PER_LINE + count * NS_PER_LOGGED_ELEMENT + (length + names.all) * NS_PER_LOGGED_CHARACTER;
  }
  return { checkNs, logNs };
}

/**
 * mostPassNs returns the highest cost of a refused BTF of which no type is known. Half of it may be functions and half
 * their parameters, or half pointers and half modifiers. The log may repeat the longest name for each parameter.
 */
export function mostPassNs(typeBytes: number, longestName: number): number {
  const half = typeBytes / 2;
  const functions = (half / FUNC_BYTES) * (half / PARAM_BYTES) * NS_PER_PARAM;
  const modifiers = (half / FUNC_BYTES) * (half / FUNC_BYTES) * NS_PER_MODIFIER;
  const passes = (typeBytes / PARAM_BYTES) * (NS_PER_TYPE + CHECKED_CHARACTERS * NS_PER_CHARACTER);
  const log = (typeBytes / PARAM_BYTES) * (NS_PER_LINE + longestName * NS_PER_LOGGED_CHARACTER);
  return 2 * (functions + modifiers + passes) + log;
}

const NO_NAMES = { checked: 0, all: 0 };

/** The size of a type without parts, such as a function, and of a parameter. */
const FUNC_BYTES = 12;
const PARAM_BYTES = 8;

/** The characters of the names of a type's elements: those that the kernel checks, and all. */
function namesOf(btf: RawBtf, id: TypeId, each: number): { readonly checked: number; readonly all: number } {
  let checked = 0;
  let all = 0;
  const count = btf.vlen(id);
  for (let index = 0; index < count; index++) {
    const length = btf.nameLength(btf.element(id, each, index, 0));
    checked += Math.min(length, CHECKED_CHARACTERS);
    all += length;
  }
  return { checked, all };
}

function paramsOf(btf: RawBtf, id: TypeId): number {
  return btf.kind(id) === Kind.FUNC_PROTO ? btf.vlen(id) : 0;
}
