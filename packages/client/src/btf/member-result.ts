import type {
  MemberError as MemberErrorMessage,
  MemberErrorName,
  MemberResult as MemberResultMessage,
} from '@btfd/api';
import {
  BtfReadError,
  type Dereference,
  formatMemberPath,
  type MemberPlace,
  parseMemberPath,
  type PathStep,
  type TypeId,
} from '@btfd/btf';
import type { CallLimits, Connection } from '../call/connection.js';
import { type Messages, messagesNow } from '../call/methods.js';
import { invalidResponse } from '../error/btf-error.js';
import type { SpecSource } from './spec-store.js';

/**
 * RemoteDereference is a pointer that must be read to continue along a path: the part of a `Dereference` of `@btfd/btf`
 * that the daemon returns.
 */
export type RemoteDereference = Pick<Dereference, 'bitOffset' | 'typeId' | 'targetId' | 'tags'>;

/**
 * RemoteMember is the member that a path names: the part of a `ResolvedMember` of `@btfd/btf` that the daemon returns, and the name
 * of its type.
 */
export interface RemoteMember extends MemberPlace {
  /** The member's type as C declares it. */
  readonly typeName: string;
  /** The pointers to read on the way, in order, as in `ResolvedMember`. */
  readonly dereferences: readonly RemoteDereference[];
}

/**
 * MemberFailureCode is the reason why a path cannot be resolved: a `MemberProblem` of `@btfd/btf`, `RESULT_TOO_LARGE` for a
 * result that the daemon does not send, or `UNKNOWN` from a daemon of another release.
 */
export type MemberFailureCode = MemberErrorName | 'UNKNOWN';

/** RemoteCandidate is one of the types that an ambiguous path may mean. */
export interface RemoteCandidate {
  readonly typeId: TypeId;
  /** The type as C writes it. */
  readonly typeName: string;
  /** Whether it is a type of the base of split BTF, such as a module's. */
  readonly inBase: boolean;
  /** The path that means this type: `114.pid`. It starts with the id, and continues where the path is ambiguous. */
  readonly path: string;
  /** The member that the whole path names if it means this type; null if this type does not have it. */
  readonly member: RemoteMember | null;
}

/** MemberFailure says why a path cannot be resolved. */
export interface MemberFailure {
  readonly code: MemberFailureCode;
  /** Index of the step of the path that fails, from 0; -1 if it is the type where the path starts. */
  readonly step: number;
  /** The types that an `AMBIGUOUS` path may mean; otherwise empty. The daemon sends as many as fit into a kilobyte. */
  readonly candidates: readonly RemoteCandidate[];
  /** Number of types that the path may mean. */
  readonly candidateCount: number;
}

/** MemberResult is the result for one path: a `member`, or an `error` with its `failure` for programs. */
export type MemberResult =
  | { readonly path: string; readonly member: RemoteMember; readonly error: null; readonly failure: null }
  | { readonly path: string; readonly member: null; readonly error: string; readonly failure: MemberFailure };

/** fetchMembers returns where members are, one result per path. */
export async function fetchMembers(
  connection: Connection,
  source: SpecSource,
  paths: readonly string[],
  limits: CallLimits,
): Promise<MemberResult[]> {
  const { results } = await connection.unary('resolveMembers', { source, paths: [...paths] }, limits);
  const messages = await messagesNow();
  return paths.map((path, index) => memberResult(path, results[index], messages));
}

function memberResult(
  path: string,
  message: MemberResultMessage | undefined,
  messages: Messages,
): MemberResult {
  const { case: kind, value } = message?.result ?? { case: undefined };
  switch (kind) {
    case 'error':
      return { path, member: null, error: value.message, failure: failureOf(path, value, messages) };
    case 'member':
      return { path, member: messages.decodeMember(value), error: null, failure: null };
    case undefined:
      throw invalidResponse(`result for ${JSON.stringify(path)}`);
  }
}

function failureOf(path: string, message: MemberErrorMessage, messages: Messages): MemberFailure {
  const { code, step, candidates, candidateCount } = messages.decodeMemberError(message);
  const rest = candidates.length === 0 ? [] : stepsFrom(path, step);
  return {
    code,
    step,
    candidates: candidates.map(({ typeId, typeName, inBase, member }) => ({
      typeId,
      typeName,
      inBase,
      path: formatMemberPath({ kind: null, root: String(typeId), steps: rest }),
      member,
    })),
    candidateCount,
  };
}

/** @throws BtfError INVALID_RESPONSE for a path without steps that could be ambiguous. */
function stepsFrom(path: string, step: number): readonly PathStep[] {
  try {
    return parseMemberPath(path).steps.slice(Math.max(step, 0));
  } catch (error) {
    if (error instanceof BtfReadError) throw invalidResponse(`result for ${JSON.stringify(path)}`);
    throw error;
  }
}
