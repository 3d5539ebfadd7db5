import { BtfReadError, type BtfReadErrorCode } from '../format-error.js';
import type { TypeId } from '../types.js';
import type { ResolvedMember } from './member-place.js';

/**
 * MemberProblem is the reason why a path to a member cannot be resolved.
 *
 * - `NO_SUCH_TYPE`: no struct, union or typedef has the name where the path starts, or no type has the id.
 * - `NO_SUCH_MEMBER`: a struct or union has no such member, or an array no such element.
 * - `NOT_A_STRUCT`: a step leads into a type without members or elements: an integer, or a struct that is only declared.
 * - `AMBIGUOUS`: several types have a name on the path, and the path leads to different places in them.
 * - `BAD_PATH`: the text is not a path, or has too many steps.
 * - `UNREADABLE`: a type on the path is malformed, or exceeds a limit.
 */
export type MemberProblem =
  'NO_SUCH_TYPE' | 'NO_SUCH_MEMBER' | 'NOT_A_STRUCT' | 'AMBIGUOUS' | 'BAD_PATH' | 'UNREADABLE';

/** MemberCandidate is one of the types that an ambiguous path may mean. */
export interface MemberCandidate {
  readonly typeId: TypeId;
  /** The path that means this type: `114.pid`. It starts with the id, and continues where the path is ambiguous. */
  readonly path: string;
  /** The end of the whole path if it means this type; null if this type does not have it. */
  readonly member: ResolvedMember | null;
}

/** MemberPathDetails are the optional parts of a {@link MemberPathError}. */
export interface MemberPathDetails {
  readonly code?: BtfReadErrorCode | undefined;
  readonly step?: number;
  readonly near?: readonly string[];
  readonly candidates?: readonly MemberCandidate[];
}

/** The code of an error with a problem, unless it has another one. */
const CODES: Readonly<Record<MemberProblem, BtfReadErrorCode>> = {
  NO_SUCH_TYPE: 'NOT_FOUND',
  NO_SUCH_MEMBER: 'NOT_FOUND',
  NOT_A_STRUCT: 'INVALID_ARGUMENT',
  AMBIGUOUS: 'AMBIGUOUS',
  BAD_PATH: 'INVALID_ARGUMENT',
  UNREADABLE: 'MALFORMED',
};

/** MemberPathError reports why a path to a member cannot be resolved, and the step at which it fails. */
export class MemberPathError extends BtfReadError {
  override readonly name = 'MemberPathError';
  readonly problem: MemberProblem;
  /** Index of the step that fails, from 0; -1 if it is the type where the path starts. */
  readonly step: number;
  /** Names of members (of types at step -1) that the step may have meant, nearest first. */
  readonly near: readonly string[];
  /** The types that an `AMBIGUOUS` path may mean, in the order of their ids within a choice. Otherwise empty. */
  readonly candidates: readonly MemberCandidate[];

  constructor(problem: MemberProblem, message: string, details: MemberPathDetails = {}) {
    const { code, step = -1, near = [], candidates = [] } = details;
    const hint = near.length === 0 ? '' : `; did you mean ${near.map((name) => `"${name}"`).join(' or ')}?`;
    super(code ?? CODES[problem], `${message}${hint}`);
    this.problem = problem;
    this.step = step;
    this.near = near;
    this.candidates = candidates;
  }
}
