import { BtfError, type BtfErrorInit, type ClientErrorReason } from './btf-error.js';
import { CLIENT_REASONS } from './client-reasons.js';

/** clientError makes the error for a reason of the client's own, with the code that its table gives it. */
export function clientError(
  reason: ClientErrorReason,
  message: string,
  { retryDelay = null, cause }: Pick<BtfErrorInit, 'retryDelay' | 'cause'> = {},
): BtfError {
  return new BtfError({ code: CLIENT_REASONS[reason].code, reason, message, retryDelay, cause });
}
