import { BtfFormatError, type BtfFormatErrorCode } from '../format-error.js';

/** MAX_PATH_STEPS bounds the steps of a path: each may search all that the BTF holds. */
export const MAX_PATH_STEPS = 64;

const MAX_PATH_LENGTH = 8192;

/** PathStep is one step of a {@link MemberPath}: into a member by its name, or to an element by its index. */
export type PathStep = { readonly member: string } | { readonly index: number };

/** MemberPath is a parsed path. */
export interface MemberPath {
  /** What kind of type the path names; null where it does not say. */
  readonly kind: 'STRUCT' | 'UNION' | null;
  /** The name of the type where it starts. */
  readonly root: string;
  readonly steps: readonly PathStep[];
}

const ROOT = /^(?:(struct|union)\s+)?((?:(?!->)[^\s.[\]])+)/;
const STEP = /^(?:(?:\.|->)((?:(?!->)[^\s.[\]])+)|\[(\d{1,10})\])/;

/**
 * parseMemberPath reads a path to a member, as C writes it behind the name of a type:
 * `task_struct.mm.pgd`, `struct sk_buff.cb[3]`, `union foo->bar`. `.` and `->` mean the same: whether a
 * pointer is crossed is for the types to say. Indexes are decimal.
 *
 * @throws BtfFormatError `INVALID_ARGUMENT` for what is no path; `LIMIT_EXCEEDED` for more than 64 steps.
 */
export function parseMemberPath(path: string): MemberPath {
  if (path.length > MAX_PATH_LENGTH) {
    throw new BtfFormatError(
      'LIMIT_EXCEEDED',
      `path of ${path.length} characters exceeds ${MAX_PATH_LENGTH}`,
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
  const message = `${JSON.stringify(path)} is no path to a member: ${expected} is expected at character ${at + 1}`;
  return new BtfFormatError('INVALID_ARGUMENT', message);
}

/** MemberPathError tells at which step a path to a member fails. */
export class MemberPathError extends BtfFormatError {
  /** The index of the step that fails, from 0; -1 where the type in which the path starts is not found. */
  readonly step: number;
  /** Names of members, or of types at step -1, that the step may have meant, nearest first. */
  readonly near: readonly string[];

  /** @param path the path up to and with the step that fails. */
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
