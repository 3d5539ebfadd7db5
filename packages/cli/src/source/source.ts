import {
  BtfReadError,
  type BtfNote,
  formatNote,
  formatTypeName,
  MemberPathError,
  type PrintCOptions,
  type ResolvedMember,
  resolveMember,
  type Spec,
  surveyBtf,
} from '@btfd/btf';
import type { MemberFailure, MemberResult, RemoteMember } from '@btfd/client';
import { counted } from '../output/numbers.js';
import { printable } from '../output/safe-text.js';

/** CForm is the form of a C header of all types. */
export type CForm = Pick<PrintCOptions, 'sorted' | 'kfuncs' | 'assertions'>;

/** Source is an object in the kernel of a node, or a file, with its types. */
export interface Source {
  /** Its name in output. */
  readonly label: string;
  /** Returns its types. Split BTF has its base. */
  spec(): Promise<Spec>;
  /** Returns its types as C that a daemon prints; null if the types must be printed here. Default: null. */
  printedC?(form: CForm): Promise<string | null>;
  /** Resolves member paths. A path that does not lead to a member has an error in its result. */
  members(paths: readonly string[]): Promise<MemberResult[]>;
}

/** More notes than this library makes about one BTF. */
const MAX_NOTES = 10;

/** Characters of a note. A note about every kind there can be has no more. */
const MAX_NOTE_LENGTH = 2_000;

/** noteUnknown prints the parts of a BTF that are not known. A daemon may send any number of notes, with any text. */
export function noteUnknown(
  notes: readonly Omit<BtfNote, 'kind'>[],
  label: string,
  note: (text: string) => void,
): void {
  for (const one of notes.slice(0, MAX_NOTES)) {
    const isLong = one.message.length > MAX_NOTE_LENGTH;
    const message = isLong ? `${one.message.slice(0, MAX_NOTE_LENGTH)}…` : one.message;
    note(`${label}: ${formatNote({ ...one, message: printable(message) })}`);
  }
  const leftOut = notes.length - MAX_NOTES;
  if (leftOut > 0) note(`${label}: left out ${counted(leftOut, 'more note')}`);
}

/** unknownParts returns the notes about BTF to load. It returns none for BTF that cannot be read, which the kernel refuses. */
export function unknownParts(btf: Uint8Array): readonly BtfNote[] {
  try {
    return surveyBtf(btf).notes;
  } catch (error) {
    if (error instanceof BtfReadError) return [];
    throw error;
  }
}

/** specMembers resolves member paths in a spec, as a daemon does. */
export function specMembers(spec: Spec, paths: readonly string[]): MemberResult[] {
  return paths.map((path) => specMember(spec, path));
}

function specMember(spec: Spec, path: string): MemberResult {
  try {
    return { path, member: remoteMember(spec, resolveMember(spec, path)), error: null, failure: null };
  } catch (error) {
    if (!(error instanceof BtfReadError)) throw error;
    const failure =
      error instanceof MemberPathError ? error : new MemberPathError('UNREADABLE', error.message);
    return { path, member: null, error: error.message, failure: memberFailure(spec, failure) };
  }
}

function memberFailure(spec: Spec, { problem, step, candidates }: MemberPathError): MemberFailure {
  return {
    code: problem,
    step,
    candidates: candidates.map(({ typeId, path, member }) => ({
      typeId,
      typeName: formatTypeName(spec, typeId),
      inBase: typeId < spec.firstTypeId,
      path,
      member: member === null ? null : remoteMember(spec, member),
    })),
    candidateCount: candidates.length,
  };
}

function remoteMember(spec: Spec, member: ResolvedMember): RemoteMember {
  return { ...member, typeName: formatTypeName(spec, member.typeId) };
}
