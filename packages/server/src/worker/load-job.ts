import { btfToLoad } from '../load/btf-to-load.js';
import type { LoadJob, Steps } from './job.js';

/** loadSteps do a LoadJob. */
export function* loadSteps({ source, adapt }: LoadJob): Steps<Uint8Array> {
  yield yield* btfToLoad(source, adapt);
}
