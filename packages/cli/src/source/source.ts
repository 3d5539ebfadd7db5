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

/** noteUnknown prints the parts of a BTF that this btfctl does not know. */
export function noteUnknown(
  notes: readonly Omit<BtfNote, 'kind'>[],
  label: string,
  note: (text: string) => void,
): void {
  for (const one of notes) note(`${label}: ${formatNote(one)}`);
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
