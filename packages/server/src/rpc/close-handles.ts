import { checkCount } from '../error/service-error.js';
import type { Rpc } from '../grpc/rpc.js';
import type { Services } from './services.js';

/** closeHandles serves CloseHandles. */
export function closeHandles({ handles, limits }: Services): Rpc<'closeHandles'> {
  return ({ tokens }, { caller }) => {
    checkCount('tokens', tokens, limits.maxTokens);
    return { wasOpen: tokens.map((token) => handles.closeFor(caller, token)) };
  };
}
