import type { Changed, MemberFact } from '@btfd/btf';
import { isDeepStrictEqual } from 'node:util';

/** Moved is a run of members that only moved, all by the same distance. */
export interface Moved {
  readonly first: string;
  readonly count: number;
  readonly bits: number;
}

/** splitMoved separates members that only moved from those that changed. An inserted member can move hundreds of others. */
export function splitMoved(changed: readonly Changed<MemberFact>[]): {
  readonly moved: readonly Moved[];
  readonly others: readonly Changed<MemberFact>[];
} {
  const moved: Moved[] = [];
  const others: Changed<MemberFact>[] = [];
  for (const pair of changed) {
    const { from, to } = pair;
    if (!isDeepStrictEqual({ ...from, bitOffset: to.bitOffset }, to)) {
      others.push(pair);
      continue;
    }
    const bits = to.bitOffset - from.bitOffset;
    const last = moved.at(-1);
    if (last?.bits === bits) moved[moved.length - 1] = { ...last, count: last.count + 1 };
    else moved.push({ first: from.name, count: 1, bits });
  }
  return { moved, others };
}
