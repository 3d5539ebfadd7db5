import { MemberPathError } from './member-error.js';

/** MAX_PATH_STEPS is the maximum number of steps in a path. Each step may search the whole BTF. */
export const MAX_PATH_STEPS = 64;

const MAX_PATH_LENGTH = 8192;

/** PathStep is one step of a {@link MemberPath}: into a member by its name, or to an element by its index. */
export type PathStep = { readonly member: string } | { readonly index: number };

/** MemberPath is a parsed path. */
export interface MemberPath {
  /** The kind of type that the path names; null if it does not say. */
  readonly kind: 'STRUCT' | 'UNION' | null;
  /** The name of the type where the path starts, or its id in decimal digits: no name in C begins with a digit. */
  readonly root: string;
  readonly steps: readonly PathStep[];
}

const ROOT = /^(?:(struct|union)\s+)?((?:(?!->)[^\s.[\]])+)/;
const STEP = /^(?:(?:\.|->)((?:(?!->)[^\s.[\]])+)|\[(\d{1,10})\])/;

/**
 * parseMemberPath parses a path to a member, as C writes it after the name of a type: `task_struct.mm.pgd`, `struct
 * sk_buff.cb[3]`, `union foo->bar`. `.` and `->` mean the same: the types decide whether a pointer is crossed. Indices
 * are decimal. A path may start with the id of a type instead of a name: `114.pid`.
 *
 * @throws MemberPathError `INVALID_ARGUMENT` with the problem `BAD_PATH` if `path` is not a path to a member.
 * @throws MemberPathError `LIMIT_EXCEEDED` with the problem `BAD_PATH` for more than 64 steps or 8192 characters.
 */
export function parseMemberPath(path: string): MemberPath {
  if (path.length > MAX_PATH_LENGTH) {
    throw tooLong(`path of ${path.length} characters exceeds the limit of ${MAX_PATH_LENGTH}`);
  }
  const start = ROOT.exec(path);
  const [matched = '', keyword, root] = start ?? [];
  if (root === undefined) throw invalid(path, 0, 'the name of a type');
  const steps: PathStep[] = [];
  for (let at = matched.length; at < path.length;) {
    const [step = '', member, index] = STEP.exec(path.slice(at)) ?? [];
    if (step === '') throw invalid(path, at, '.member or [index]');
    if (steps.length === MAX_PATH_STEPS) throw tooManySteps();
    steps.push(member === undefined ? { index: Number(index) } : { member });
    at += step.length;
  }
  const kind = keyword === 'struct' ? 'STRUCT' : keyword === 'union' ? 'UNION' : null;
  return { kind, root, steps };
}

/** formatMemberPath returns the text of a path, the inverse of {@link parseMemberPath}. It writes `.` for `->`. */
export function formatMemberPath({ kind, root, steps }: MemberPath): string {
  const keyword = kind === null ? '' : `${kind.toLowerCase()} `;
  return `${keyword}${root}${steps.map(formatStep).join('')}`;
}

/** formatStep returns a step as it stands in a path. */
export function formatStep(step: PathStep): string {
  return 'member' in step ? `.${step.member}` : `[${step.index}]`;
}

/** tooManySteps returns the error for a path of more than {@link MAX_PATH_STEPS} steps. */
export function tooManySteps(): MemberPathError {
  return tooLong(`path has more than ${MAX_PATH_STEPS} steps`);
}

function tooLong(message: string): MemberPathError {
  return new MemberPathError('BAD_PATH', message, { code: 'LIMIT_EXCEEDED' });
}

function invalid(path: string, at: number, expected: string): MemberPathError {
  const message = `invalid path ${JSON.stringify(path)}: expected ${expected} at character ${at + 1}`;
  return new MemberPathError('BAD_PATH', message);
}
