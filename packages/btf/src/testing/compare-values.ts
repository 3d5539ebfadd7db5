import type { Random } from 'test-tools/random';
import { isComposite } from '../kind-words.js';
import { resolve } from '../query/resolve.js';
import { sizeof } from '../query/sizeof.js';
import type { Spec } from '../spec.js';
import type { Type, TypeId } from '../types.js';
import { formatValue, type FormatValueOptions } from '../value/format-value.js';
import { LibbpfValues, type ValueRequest } from './libbpf-values.js';
import { highBytes, randomValue, type RandomValueOptions } from './random-value.js';

/** Facts say which parts a type has that libbpf prints wrongly with some bytes. */
interface Facts {
  /** After an array of bytes, libbpf prints other bytes as characters, and leaves out zeroes in arrays. */
  readonly hasByteArray: boolean;
  readonly isByteArray: boolean;
  /** Whether it has no bytes. */
  readonly isEmpty: boolean;
  /** Unions have members whose bytes are those of another one, and so may be anything. */
  readonly hasUnion: boolean;
  /** libbpf does not end the line after a number of a signed enum. */
  readonly hasSignedEnum: boolean;
  /** Nor after a zero, if it has no name. */
  readonly hasNamelessZero: boolean;
  /** libbpf looks at the bytes around an enum that is a bitfield to find out whether it is zero. */
  readonly hasEnumBitfield: boolean;
  /** An empty part of an array is zero to libbpf after an array of bytes. */
  readonly hasEmptyPart: boolean;
  /** A struct within another is zero to libbpf if its first member is, even if that is empty. */
  readonly hasEmptyStart: boolean;
}

/** Run is a way to print values, the bytes for it, and the types for which libbpf has no fault then. */
interface Run {
  readonly print: FormatValueOptions;
  /** `HIGH` are bytes that are neither zero nor printable. */
  readonly fill: RandomValueOptions | 'HIGH';
  readonly suits: (facts: Facts) => boolean;
}

/** VALUE_RUNS together use every option. */
const VALUE_RUNS: readonly Run[] = [
  { print: { emitZeroes: true }, fill: 'HIGH', suits: (has) => !has.hasSignedEnum },
  { print: { emitZeroes: true }, fill: {}, suits: (has) => !has.hasUnion || isPlain(has) },
  { print: { emitZeroes: true }, fill: { texts: true }, suits: (has) => has.hasByteArray && !has.hasUnion },
  {
    print: {},
    fill: { texts: true },
    suits: (has) => has.hasByteArray && !has.hasEmptyPart && !hidesOthers(has),
  },
  {
    print: { emitZeroes: true },
    fill: { zeroes: true },
    suits: (has) => isPlain(has) || !(has.hasUnion || has.hasByteArray || has.hasNamelessZero),
  },
  {
    print: {},
    fill: { zeroes: true },
    suits: (has) => !has.hasByteArray && !has.hasNamelessZero && !hidesOthers(has),
  },
  // libbpf indents a string once more, and does not end its line.
  { print: { emitStrings: true, indentLevel: 0 }, fill: { texts: true }, suits: (has) => has.isByteArray },
];

function isPlain({ hasByteArray, hasSignedEnum }: Facts): boolean {
  return !hasByteArray && !hasSignedEnum;
}

/** Whether libbpf may take a part for zero that is not, or the other way round. */
function hidesOthers({ hasUnion, hasEnumBitfield, hasEmptyStart }: Facts): boolean {
  return hasUnion || hasEnumBitfield || hasEmptyStart;
}

/** Comparison is the result of {@link compareValues}. */
export interface Comparison {
  readonly compared: number;
  /** Values that libbpf gives up in the middle, because of an array of empty structs. Its text starts ours. */
  readonly unfinished: number;
  /** Each difference as the type and both texts. */
  readonly different: readonly object[];
}

/** compareValues compares the texts of random values of types, ours and libbpf's. */
export function compareValues(
  libbpf: LibbpfValues,
  spec: Spec,
  ids: Iterable<TypeId>,
  random: Random,
): Comparison {
  const requests: ValueRequest[] = [];
  const known = new Map<TypeId, Facts>();
  for (const id of ids) {
    const has = factsOf(spec, id, known);
    for (const { print, fill, suits } of VALUE_RUNS) {
      if (!suits(has)) continue;
      const bytes =
        fill === 'HIGH' ? highBytes(sizeof(spec, id), random) : randomValue(spec, id, random, fill).bytes;
      requests.push({ id, bytes, options: { ...randomStyle(random), ...print } });
    }
  }
  const answers = libbpf.print(spec.bytes, requests, spec.base?.bytes);
  const different: object[] = [];
  let unfinished = 0;
  for (const [i, { text, result }] of answers.entries()) {
    const { id, bytes, options } = requests[i] ?? { id: 0, bytes: new Uint8Array() };
    const ours = formatValue(spec, id, bytes, options);
    const isUnfinished = result === -EINVAL && ours.text.startsWith(text);
    if (isUnfinished) unfinished += 1;
    else if (ours.text !== text || result !== bytes.length) {
      different.push({ id, options, result, ...firstDifference(ours.text, text) });
    }
  }
  return { compared: answers.length, unfinished, different };
}

const EINVAL = 22;

/** Larger structs take most of the time. */
const LARGEST = 65_536;

/** compareStructs is {@link compareValues} for one in `every` structs and unions of a spec. */
export function compareStructs(
  spec: Spec,
  random: Random,
  every: number,
): Comparison & { readonly types: number } {
  const libbpf = new LibbpfValues();
  try {
    const ids = [...spec.typeIds()].filter(
      (id) => isComposite(spec.kindOf(id)) && sizeof(spec, id) <= LARGEST,
    );
    const chosen = ids.filter((_, i) => i % every === 0);
    return { types: chosen.length, ...compareValues(libbpf, spec, chosen, random) };
  } finally {
    libbpf.close();
  }
}

/** Returns the text from a few lines or words before the first difference. */
function firstDifference(ours: string, libbpf: string): object {
  let at = 0;
  while (at < ours.length && ours[at] === libbpf[at]) at++;
  const around = (text: string): string => text.slice(Math.max(0, at - 200), at + 60);
  return { ours: around(ours), libbpf: around(libbpf) };
}

function randomStyle(random: Random): FormatValueOptions {
  return {
    compact: random(5) === 0,
    skipNames: random(5) === 0,
    indentLevel: random(3),
    indent: ['\t', '  ', ''][random(3)] ?? '\t',
  };
}

const NOTHING: Facts = {
  hasByteArray: false,
  isEmpty: false,
  isByteArray: false,
  hasUnion: false,
  hasSignedEnum: false,
  hasNamelessZero: false,
  hasEnumBitfield: false,
  hasEmptyPart: false,
  hasEmptyStart: false,
};

function factsOf(spec: Spec, id: TypeId, known: Map<TypeId, Facts>): Facts {
  const facts = known.get(id) ?? newFacts(spec, id, known);
  known.set(id, facts);
  return facts;
}

function newFacts(spec: Spec, id: TypeId, known: Map<TypeId, Facts>): Facts {
  const type = resolve(spec, id);
  switch (type.kind) {
    case 'ENUM':
    case 'ENUM64':
      return {
        ...NOTHING,
        hasSignedEnum: type.signed,
        hasNamelessZero: type.signed && type.values.every(({ value }) => BigInt(value) !== 0n),
      };
    case 'ARRAY': {
      const isBytes = resolve(spec, type.typeId).kind === 'INT' && sizeof(spec, type.typeId) === 1;
      const element = isBytes ? { ...NOTHING, hasByteArray: true } : factsOf(spec, type.typeId, known);
      return {
        ...element,
        isByteArray: isBytes,
        isEmpty: type.nelems === 0 || element.isEmpty,
        hasEmptyPart: type.nelems === 0 || element.hasEmptyPart,
      };
    }
    case 'STRUCT':
    case 'UNION': {
      const parts = type.members.map(({ typeId }) => factsOf(spec, typeId, known));
      return {
        hasByteArray: parts.some((part) => part.hasByteArray),
        isByteArray: false,
        hasEmptyStart: parts.some((part, i) => part.hasEmptyStart || (i === 0 && part.isEmpty)),
        isEmpty: parts.every((part) => part.isEmpty),
        hasEmptyPart: type.members.length === 0 || parts.some((part) => part.hasEmptyPart),
        hasUnion: type.kind === 'UNION' || parts.some((part) => part.hasUnion),
        hasSignedEnum: parts.some((part) => part.hasSignedEnum),
        hasNamelessZero: parts.some((part) => part.hasNamelessZero),
        hasEnumBitfield:
          parts.some((part) => part.hasEnumBitfield) ||
          type.members.some((one) => one.bitfieldSize > 0 && isEnum(resolve(spec, one.typeId))),
      };
    }
    default:
      return NOTHING;
  }
}

function isEnum({ kind }: Type): boolean {
  return kind === 'ENUM' || kind === 'ENUM64';
}
