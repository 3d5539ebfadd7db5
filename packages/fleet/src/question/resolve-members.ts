import type { BtfClient, MemberResult } from '@btfd/client';
import { invalidArgument } from '../base/argument.js';

/** FleetMember is the result for one path with its alternatives. */
export interface FleetMember {
  /** The path as it was asked, with its alternatives. */
  readonly path: string;
  /** The first alternative that leads to a member; null if none does. */
  readonly used: string | null;
  /** The result for that alternative, or for the first one if none leads to a member. */
  readonly result: MemberResult;
}

/** The most paths that a daemon resolves in one call. */
const MAX_PATHS = 1_000;

/** alternativesOf returns the alternatives of a path: `a.b|a.c`. @throws BtfError INVALID_REQUEST if one is empty. */
export function alternativesOf(path: string): readonly string[] {
  const alternatives = path.split('|').map((each) => each.trim());
  if (!alternatives.includes('')) return alternatives;
  throw invalidArgument('paths', `"${path.slice(0, 100)}" has an empty alternative: write it as a.b|a.c`);
}

/** membersOf resolves paths with alternatives on one node. Each alternative is sent once. */
export async function membersOf(
  client: BtfClient,
  object: string,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<readonly FleetMember[]> {
  const sent = [...new Set(paths.flatMap(alternativesOf))];
  const results = new Map<string, MemberResult>();
  for (let at = 0; at < sent.length; at += MAX_PATHS) {
    const some = sent.slice(at, at + MAX_PATHS);
    for (const result of await client.resolveMembers(object, some, { signal }))
      results.set(result.path, result);
  }
  return paths.flatMap((path) => {
    const all = alternativesOf(path).flatMap((each) => results.get(each) ?? []);
    const found = all.find(({ member }) => member !== null);
    const result = found ?? all[0];
    return result === undefined ? [] : [{ path, used: found?.path ?? null, result }];
  });
}
