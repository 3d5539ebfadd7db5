import { status } from '@grpc/grpc-js';
import { BtfError } from './btf-error.js';

/** invalidResponse is the error for an answer that lacks what the contract promises. */
export function invalidResponse(what: string): BtfError {
  return new BtfError({
    code: status.INTERNAL,
    reason: 'INVALID_RESPONSE',
    message: `the daemon's answer has no ${what}`,
  });
}
