import { create, toBinary } from '@bufbuild/protobuf';
import { LoadHandleResponseSchema, type RejectionSchema } from '@btfd/api';
import type { Init } from '../base/message.js';
import { tailText } from '../base/text.js';
import type { LoadItem, LoadJob, RejectionJob, Steps } from '../pool/job.js';
import { btfToLoad } from './load/btf-to-load.js';
import { kernelSearchNs } from './load/kernel-search.js';
import { screen } from './load/screen.js';

/** loadSteps returns the steps of a LoadJob. */
export function* loadSteps({ source, adaptTo, maxCheckMs, kernelLayout }: LoadJob): Steps<LoadItem> {
  const value = yield* btfToLoad(source, adaptTo);
  const estimate = yield* screen(value, { maxCheckMs, kernelLayout, kernelSearchNs });
  yield { case: 'load', value, estimate };
}

/** rejectionSteps returns the steps of a RejectionJob. */
export function* rejectionSteps({ errno, errnoName, log, maxTextBytes }: RejectionJob): Steps<Uint8Array> {
  const value: Init<typeof RejectionSchema> = { errno, errnoName };
  if (log !== null) {
    const { text, cut } = tailText(log.text, maxTextBytes);
    value.log = { text, truncated: log.truncated || cut, trueSize: log.trueSize ?? 0 };
  }
  const response = create(LoadHandleResponseSchema, { result: { case: 'rejection', value } });
  yield toBinary(LoadHandleResponseSchema, response);
}
