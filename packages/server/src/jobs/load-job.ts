import { btfToLoad } from './load/btf-to-load.js';
import { screen } from './load/screen.js';
import type { LoadJob, Steps } from '../pool/job.js';

/** loadSteps do a LoadJob. */
export function* loadSteps({ source, adapt, maxCheckMs, kernelLayout }: LoadJob): Steps<Uint8Array> {
  const rawBtf = yield* btfToLoad(source, adapt);
  yield* screen(rawBtf, maxCheckMs, kernelLayout);
  yield rawBtf;
}
