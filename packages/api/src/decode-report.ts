import {
  type CoreCandidate,
  CoreOutcome,
  type CorePatch,
  CorePatch_Part,
  type CorePlace,
  type Need,
  NeedKind,
  Reach,
  type Relocation,
  RelocationKind,
  type SourceLine,
  Verdict,
} from './gen/btf/v1/object_pb.js';
import type {
  CoreCandidateFields,
  CorePatchFields,
  CorePlaceFields,
  NameOf,
  NeedFields,
  RelocationFindingFields,
  SourceLineFields,
  VerdictName,
} from './object-report.js';

/** decodeRelocation returns the fields in the message of a relocation. */
export function decodeRelocation(message: Relocation): RelocationFindingFields {
  const { function: name, kind, local, source, outcome, reach, verdict, match, candidates, patch } = message;
  const { index, section, instruction, kindNumber, localValue, targetValue } = message;
  const { localSize, targetSize, candidateCount, reason, near } = message;
  return {
    relocation: {
      index,
      section,
      program: name === '' ? null : { name },
      instruction,
      kind: nameOf(RelocationKind, kind),
      kindNumber,
      local: local === undefined ? null : placeOf(local),
      outcome: nameOf(CoreOutcome, outcome) ?? 'UNKNOWN',
      localValue,
      targetValue,
      localSize,
      targetSize,
      match: match === undefined ? null : candidateOf(match),
      candidates: candidates.map(candidateOf),
      candidateCount,
      patch: patch === undefined ? null : patchOf(patch),
    },
    reach: nameOf(Reach, reach),
    verdict: decodeVerdict(verdict) ?? 'UNKNOWN',
    source: source === undefined ? null : sourceOf(source),
    reason,
    near,
  };
}

/** decodeNeed returns the fields in the message of a need. */
export function decodeNeed(message: Need): NeedFields {
  const { kind, verdict, object, typeId, source } = message;
  const { name, optional, local, target, reason, near } = message;
  return {
    kind: nameOf(NeedKind, kind) ?? 'UNKNOWN',
    name,
    optional,
    verdict: decodeVerdict(verdict) ?? 'UNKNOWN',
    object: object === '' ? null : object,
    typeId: typeId === 0 ? null : typeId,
    local,
    target,
    source: source === undefined ? null : sourceOf(source),
    reason,
    near,
  };
}

/**
 * decodeVerdict returns the name of a verdict: null if it is not set, and `UNKNOWN` for one of a later release.
 */
export function decodeVerdict(verdict: Verdict): VerdictName | null {
  return verdict === Verdict.UNSPECIFIED ? null : (nameOf(Verdict, verdict) ?? 'UNKNOWN');
}

/** Returns the name of a value; null for UNSPECIFIED, and for a value of a later release. */
function nameOf<Enum extends Readonly<Record<string, string | number>>>(
  names: Enum,
  value: number,
): NameOf<Enum> | null {
  const name = names[value];
  return isName(names, name) ? name : null;
}

function isName<Enum extends object>(names: Enum, name: unknown): name is NameOf<Enum> {
  return typeof name === 'string' && name !== 'UNSPECIFIED' && name in names;
}

function placeOf({ typeId, text, access, bitOffset }: CorePlace): CorePlaceFields {
  return { typeId, text, access, bitOffset: Number(bitOffset) };
}

function candidateOf({ object, typeId, typeName, place, reason }: CoreCandidate): CoreCandidateFields {
  return { object, typeId, typeName, place: place === undefined ? null : placeOf(place), reason };
}

function patchOf({ part, from, to, fromSize, toSize }: CorePatch): CorePatchFields | null {
  const name = nameOf(CorePatch_Part, part);
  if (name === null) return null;
  return { part: name, from, to, size: toSize === 0 ? null : { from: fromSize, to: toSize } };
}

function sourceOf({ file, text, line, column }: SourceLine): SourceLineFields {
  return { file, text, line, column };
}
