import { create, toBinary } from '@bufbuild/protobuf';
import { LoadHandleResponseSchema, type RejectionSchema } from '@btfd/api';
import type { Init } from '../base/message-init.js';
import { tailText } from '../base/tail-text.js';
import type { RejectionJob, Steps } from '../pool/job.js';

/** rejectionSteps do a RejectionJob. */
export function* rejectionSteps({ errno, errnoName, log, maxTextBytes }: RejectionJob): Steps<Uint8Array> {
  const value: Init<typeof RejectionSchema> = { errno, errnoName };
  if (log !== null) {
    const { text, cut } = tailText(log.text, maxTextBytes);
    value.log = { text, truncated: log.truncated || cut, trueSize: log.trueSize ?? 0 };
  }
  const response = create(LoadHandleResponseSchema, { result: { case: 'rejection', value } });
  yield toBinary(LoadHandleResponseSchema, response);
}
