import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { checkCount } from '../error/service-error.js';
import type { Rpc } from '../grpc/rpc.js';
import type { Services } from './services.js';

/** renewHandles serves RenewHandles. */
export function renewHandles({ handles, limits }: Services): Rpc<'renewHandles'> {
  return ({ tokens }, { caller }) => {
    checkCount('tokens', tokens, limits.maxTokens);
    return {
      results: tokens.map((token) => {
        const held = handles.renew(caller, token);
        if (held === null) return { open: false };
        return held.lease === null
          ? { open: true }
          : { open: true, remainingTtl: durationFromMs(Math.ceil(held.lease.remainingMs)) };
      }),
    };
  };
}
