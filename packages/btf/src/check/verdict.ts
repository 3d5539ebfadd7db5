import type { CoreOutcome, ResolvedRelocation } from '../core/resolution.js';
import type { Reach } from '../reach/reach.js';

/**
 * VERDICTS are the meanings of a finding for the load, from harmless to fatal:
 *
 * - `FITS`: as it was compiled.
 * - `CHANGED`: resolved, to another value than it was compiled with.
 * - `GUARDED`: missing, but the verifier never gets there, or the program only asks whether it exists.
 * - `UNKNOWN`: BTF cannot say.
 * - `AT_RISK`: missing, and the verifier gets there unless a branch that cannot be decided here goes the other way.
 * - `FAILS`: the loader or the verifier refuses.
 */
export const VERDICTS = ['FITS', 'CHANGED', 'GUARDED', 'UNKNOWN', 'AT_RISK', 'FAILS'] as const;

/** Verdict is one of {@link VERDICTS}. */
export type Verdict = (typeof VERDICTS)[number];

/** worstOf returns the worst of some verdicts; `FITS` if there are none. */
export function worstOf(verdicts: Iterable<Verdict>): Verdict {
  let worst = 0;
  for (const verdict of verdicts) worst = Math.max(worst, VERDICTS.indexOf(verdict));
  return VERDICTS[worst] ?? 'FITS';
}

/** isRisk reports whether a verdict is `AT_RISK` or worse. */
export function isRisk(verdict: Verdict): boolean {
  return verdict === 'AT_RISK' || verdict === 'FAILS';
}

/** Reached is what is known of the reach of an instruction that the verifier refuses. */
export interface Reached {
  readonly reach: Reach;
  /** The names of the read-only variables that `NEVER_AS_INITIALIZED` depends on. */
  readonly variables: readonly string[];
  /** Whether all of them have values that the caller gave. */
  readonly isGiven: boolean;
}

/** verdictOfReach returns what an instruction that the verifier refuses means for the load. */
export function verdictOfReach({ reach, isGiven }: Reached): Verdict {
  if (reach === 'NEVER') return 'GUARDED';
  if (reach === 'NEVER_AS_INITIALIZED') return isGiven ? 'GUARDED' : 'AT_RISK';
  return reach === 'MAYBE' ? 'AT_RISK' : 'FAILS';
}

/** wordsOfReach returns a clause that says why {@link verdictOfReach} is what it is. */
export function wordsOfReach({ reach, variables, isGiven }: Reached): string {
  if (reach === 'NEVER') return 'the verifier never reaches it on this kernel';
  if (reach === 'MAYBE') return 'the verifier may reach it';
  if (reach === 'ALWAYS') return 'the verifier always reaches it';
  const names = variables.slice(0, MAX_NAMED).join(', ');
  const more = variables.length > MAX_NAMED ? ` and ${variables.length - MAX_NAMED} more` : '';
  return isGiven
    ? `the verifier never reaches it with the given values of ${names}${more}`
    : `the verifier never reaches it as long as the values of ${names}${more} are not changed before the load`;
}

const MAX_NAMED = 4;

/** The verdicts of the outcomes that need no reach. */
const BY_OUTCOME: Readonly<Record<Exclude<CoreOutcome, 'RESOLVED' | 'POISONED' | 'SKIPPED'>, Verdict>> = {
  ABSENT: 'GUARDED',
  AMBIGUOUS: 'FAILS',
  REFUSED: 'FAILS',
};

/**
 * verdictOfRelocation returns what a relocation means for the load.
 *
 * @param reached of its instruction, if it is poisoned.
 * @returns null for a relocation that the loader skips.
 */
export function verdictOfRelocation(relocation: ResolvedRelocation, reached: Reached | null): Verdict | null {
  const { outcome } = relocation;
  if (outcome === 'SKIPPED') return null;
  if (outcome === 'POISONED') return reached === null ? 'AT_RISK' : verdictOfReach(reached);
  if (outcome !== 'RESOLVED') return BY_OUTCOME[outcome];
  const isSame =
    relocation.localValue === relocation.targetValue && relocation.localSize === relocation.targetSize;
  return isSame ? 'FITS' : 'CHANGED';
}
