import { BtfFormatError, type BtfFormatErrorCode } from '../format-error.js';

/** MAX_PATH_STEPS is the maximum number of steps in a path. Each step may search the whole BTF. */
export const MAX_PATH_STEPS = 64;

const MAX_PATH_LENGTH = 8192;

/** PathStep is one step of a {@link MemberPath}: into a member by its name, or to an element by its index. */
export type PathStep = { readonly member: string } | { readonly index: number };

/** MemberPath is a parsed path. */
export interface MemberPath {
  /** The kind of type that the path names; null if it does not say. */
  readonly kind: 'STRUCT' | 'UNION' | null;
  /** The name of the type where the path starts. */
  readonly root: string;
  readonly steps: readonly PathStep[];
}

const ROOT = /^(?:(struct|union)\s+)?((?:(?!->)[^\s.[\]])+)/;
const STEP = /^(?:(?:\.|->)((?:(?!->)[^\s.[\]])+)|\[(\d{1,10})\])/;

/**
 * parseMemberPath parses a path to a member, as C writes it after the name of a type: `task_struct.mm.pgd`, `struct
 * sk_buff.cb[3]`, `union foo->bar`. `.` and `->` mean the same: the types decide whether a pointer is crossed. Indices
 * are decimal.
 *
 * @throws BtfFormatError `INVALID_ARGUMENT` if `path` is not a path to a member.
 * @throws BtfFormatError `LIMIT_EXCEEDED` for more than 64 steps or 8192 characters.
 */
export function parseMemberPath(path: string): MemberPath {
  if (path.length > MAX_PATH_LENGTH) {
    throw new BtfFormatError(
      'LIMIT_EXCEEDED',
      `path of ${path.length} characters exceeds the limit of ${MAX_PATH_LENGTH}`,
    );
  }
  const start = ROOT.exec(path);
  const [matched = '', keyword, root] = start ?? [];
  if (root === undefined) throw invalid(path, 0, 'the name of a type');
  const steps: PathStep[] = [];
  for (let at = matched.length; at < path.length;) {
    const [step = '', member, index] = STEP.exec(path.slice(at)) ?? [];
    if (step === '') throw invalid(path, at, '.member or [index]');
    if (steps.length === MAX_PATH_STEPS) {
      throw new BtfFormatError('LIMIT_EXCEEDED', `path has more than ${MAX_PATH_STEPS} steps`);
    }
    steps.push(member === undefined ? { index: Number(index) } : { member });
    at += step.length;
  }
  const kind = keyword === 'struct' ? 'STRUCT' : keyword === 'union' ? 'UNION' : null;
  return { kind, root, steps };
}

function invalid(path: string, at: number, expected: string): BtfFormatError {
  const message = `invalid path ${JSON.stringify(path)}: expected ${expected} at character ${at + 1}`;
  return new BtfFormatError('INVALID_ARGUMENT', message);
}

/** MemberPathError reports the step at which a path to a member fails. */
export class MemberPathError extends BtfFormatError {
  /** Index of the step that fails, from 0; -1 if the type where the path starts is not found. */
  readonly step: number;
  /** Names of members (of types at step -1) that the step may have meant, nearest first. */
  readonly near: readonly string[];

  /** @param path the path up to and including the step that fails. */
  constructor(
    code: BtfFormatErrorCode,
    path: string,
    message: string,
    step: number,
    near: readonly string[] = [],
  ) {
    const hint = near.length === 0 ? '' : `; did you mean ${near.map((name) => `"${name}"`).join(' or ')}?`;
    super(code, `${path}: ${message}${hint}`);
    this.step = step;
    this.near = near;
  }
}
