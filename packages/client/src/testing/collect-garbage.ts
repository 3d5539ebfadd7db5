import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** collectGarbage runs the garbage collector. Finalizers run some time after it returns. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect !== 'function') throw new Error('no gc');
  collect();
}
