import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** collectGarbage collects what nobody can reach. What is to happen then happens later. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect !== 'function') throw new Error('no gc');
  collect();
}
