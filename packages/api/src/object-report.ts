import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  type CoreCandidateSchema,
  CoreOutcome,
  CorePatch_Part,
  type CorePatchSchema,
  type CorePlaceSchema,
  type Need,
  NeedKind,
  NeedSchema,
  Reach,
  type Relocation,
  RelocationKind,
  RelocationSchema,
  Verdict,
} from './gen/btf/v1/object_pb.js';

/** NameOf is the name of a value of an enum. */
export type NameOf<Enum> = Exclude<keyof Enum, 'UNSPECIFIED'>;

/** VerdictName is the name of a {@link Verdict}. */
export type VerdictName = NameOf<typeof Verdict>;

/** CorePlaceFields are the fields of a CorePlace message, with numbers in place of 64-bit integers. */
export interface CorePlaceFields {
  readonly typeId: number;
  /** Words for it: `struct inode.i_ctime.tv_sec`. */
  readonly text: string;
  /** Indexes from the root on: `0:3:0`. Empty for a whole type. */
  readonly access: string;
  readonly bitOffset: number;
}

/** CoreCandidateFields are the fields of a CoreCandidate message. */
export interface CoreCandidateFields {
  /** `vmlinux`, or the name of a module. */
  readonly object: string;
  readonly typeId: number;
  readonly typeName: string;
  /** The place that matches; null if none does. */
  readonly place: CorePlaceFields | null;
  /** Why it does not match; empty if it does. */
  readonly reason: string;
}

/** CorePatchFields are the fields of the change of an instruction. */
export interface CorePatchFields {
  readonly part: NameOf<typeof CorePatch_Part>;
  readonly from: bigint;
  readonly to: bigint;
  readonly size: { readonly from: number; readonly to: number } | null;
}

/** SourceLineFields are the fields of a SourceLine message. */
export interface SourceLineFields {
  readonly file: string;
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/** RelocationFields are the fields of a {@link Relocation} that say how a loader resolves it. */
export interface RelocationFields {
  readonly index: number;
  readonly section: string;
  /** The program or subprogram that has the instruction; null if none does. */
  readonly program: { readonly name: string } | null;
  readonly instruction: number;
  /** Null for a kind that is not known. */
  readonly kind: NameOf<typeof RelocationKind> | null;
  readonly kindNumber: number;
  readonly local: CorePlaceFields | null;
  /** `UNKNOWN` from a daemon of a later release. */
  readonly outcome: NameOf<typeof CoreOutcome> | 'UNKNOWN';
  readonly localValue: bigint;
  readonly targetValue: bigint;
  readonly localSize: number;
  readonly targetSize: number;
  readonly match: CoreCandidateFields | null;
  readonly candidates: readonly CoreCandidateFields[];
  readonly candidateCount: number;
  readonly patch: CorePatchFields | null;
}

/** RelocationFindingFields are the fields of a {@link Relocation}, as a `RelocationFinding` of `@btfd/btf` has them. */
export interface RelocationFindingFields {
  readonly relocation: RelocationFields;
  readonly reach: NameOf<typeof Reach> | null;
  readonly verdict: VerdictName;
  readonly source: SourceLineFields | null;
  readonly reason: string;
  /** Names of the kernel that are similar to one that it lacks. */
  readonly near: readonly string[];
}

/** NeedFields are the fields of a {@link Need}. */
export interface NeedFields {
  /** `UNKNOWN` from a daemon of a later release. */
  readonly kind: NameOf<typeof NeedKind> | 'UNKNOWN';
  readonly name: string;
  readonly optional: boolean;
  readonly verdict: VerdictName;
  readonly object: string | null;
  readonly typeId: number | null;
  readonly local: string;
  readonly target: string;
  readonly source: SourceLineFields | null;
  readonly reason: string;
  readonly near: readonly string[];
}

/** Longer texts are cut: an object file is a stranger's text. Real declarations are shorter. */
const LONGEST_TEXT = 1024;
/** The kernel's names have at most 511 bytes. */
const LONGEST_NAME = 512;

function shown(text: string, longest = LONGEST_TEXT): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1).toWellFormed()}…`;
}

/**
 * encodeRelocation returns the message of a relocation and its meaning. Texts of more than 1,024 characters are cut, so that
 * it has less than 240 KiB.
 *
 * @throws RangeError if an offset is not an integer.
 */
export function encodeRelocation(finding: RelocationFindingFields): Relocation {
  const { relocation, reach, verdict, source, reason, near } = finding;
  const { program, kind, outcome, local, match, candidates, patch, ...plain } = relocation;
  const { index, section, instruction, kindNumber, localValue, targetValue } = plain;
  const { localSize, targetSize, candidateCount } = plain;
  return create(RelocationSchema, {
    index,
    section: shown(section),
    function: shown(program?.name ?? ''),
    instruction,
    kind: kind === null ? RelocationKind.UNSPECIFIED : RelocationKind[kind],
    kindNumber,
    ...(local === null ? {} : { local: placeMessage(local) }),
    ...(source === null ? {} : { source: sourceMessage(source) }),
    outcome: outcome === 'UNKNOWN' ? CoreOutcome.UNSPECIFIED : CoreOutcome[outcome],
    reach: reach === null ? Reach.UNSPECIFIED : Reach[reach],
    verdict: Verdict[verdict],
    localValue,
    targetValue,
    localSize,
    targetSize,
    ...(match === null ? {} : { match: candidateMessage(match) }),
    candidates: candidates.map(candidateMessage),
    candidateCount,
    ...(patch === null ? {} : { patch: patchMessage(patch) }),
    reason: shown(reason),
    near: near.map((each) => shown(each)),
  });
}

type PlaceInit = MessageInitShape<typeof CorePlaceSchema>;
type CandidateInit = MessageInitShape<typeof CoreCandidateSchema>;
type PatchInit = MessageInitShape<typeof CorePatchSchema>;

function placeMessage({ bitOffset, typeId, text, access }: CorePlaceFields): PlaceInit {
  return { typeId, text: shown(text), access: shown(access), bitOffset: BigInt(bitOffset) };
}

function candidateMessage({ object, typeId, typeName, place, reason }: CoreCandidateFields): CandidateInit {
  return {
    object: shown(object, LONGEST_NAME),
    typeId,
    typeName: shown(typeName, LONGEST_NAME),
    ...(place === null ? {} : { place: placeMessage(place) }),
    reason: shown(reason),
  };
}

function patchMessage({ part, from, to, size }: CorePatchFields): PatchInit {
  const [fromSize, toSize] = size === null ? [0, 0] : [size.from, size.to];
  return { part: CorePatch_Part[part], from, to, fromSize, toSize };
}

/** encodeNeed returns the message of a need. Texts are cut as by {@link encodeRelocation}. */
export function encodeNeed(need: NeedFields): Need {
  const { kind, verdict, object, typeId, source, near, ...plain } = need;
  const { name, optional, local, target, reason } = plain;
  return create(NeedSchema, {
    kind: kind === 'UNKNOWN' ? NeedKind.UNSPECIFIED : NeedKind[kind],
    name: shown(name),
    optional,
    verdict: Verdict[verdict],
    object: shown(object ?? ''),
    typeId: typeId ?? 0,
    local: shown(local),
    target: shown(target),
    ...(source === null ? {} : { source: sourceMessage(source) }),
    reason: shown(reason),
    near: near.map((each) => shown(each)),
  });
}

function sourceMessage({ file, text, line, column }: SourceLineFields): SourceLineFields {
  return { file: shown(file), text: shown(text), line, column };
}
