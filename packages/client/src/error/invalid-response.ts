import type { BtfError } from './btf-error.js';
import { clientError } from './client-error.js';

/** invalidResponse is the error for an answer that lacks what the contract promises. */
export function invalidResponse(what: string): BtfError {
  return clientError('INVALID_RESPONSE', `the daemon's answer has no ${what}`);
}
