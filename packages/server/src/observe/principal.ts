import type { CallInfo } from '../grpc/call-observer.js';

/** principalOf names who makes a call, in logs; null where nobody is known. */
export function principalOf(_call: CallInfo): string | null {
  return null;
}
