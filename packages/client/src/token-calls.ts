import { create } from '@bufbuild/protobuf';
import { CloseHandlesRequestSchema, RenewHandlesRequestSchema } from '@btfd/api';
import type { CallLimits, Connection } from './call/connection.js';
import { msFromDuration } from './base/duration.js';
import { methods } from './call/methods.js';

/** The contract allows no more tokens in one request. */
const MAX_TOKENS = 1000;

/** renewTokens renews leases. Answers for each token what is left in milliseconds, or null where it is gone. */
export async function renewTokens(
  connection: Connection,
  tokens: readonly string[],
  limits: CallLimits,
): Promise<(number | null)[]> {
  const remaining: (number | null)[] = [];
  for (const batch of batches(tokens)) {
    const request = create(RenewHandlesRequestSchema, { tokens: batch });
    const { results } = await connection.unary(methods.renewHandles, request, limits);
    remaining.push(...results.map(({ open, remainingTtl }) => (open ? msFromDuration(remainingTtl) : null)));
  }
  return remaining;
}

/** closeTokens closes handles; those that are not open are passed over. */
export async function closeTokens(
  connection: Connection,
  tokens: readonly string[],
  limits: CallLimits,
): Promise<void> {
  for (const batch of batches(tokens)) {
    const request = create(CloseHandlesRequestSchema, { tokens: batch });
    await connection.unary(methods.closeHandles, request, limits);
  }
}

function batches(tokens: readonly string[]): string[][] {
  const count = Math.ceil(tokens.length / MAX_TOKENS);
  return Array.from({ length: count }, (_, i) => tokens.slice(i * MAX_TOKENS, (i + 1) * MAX_TOKENS));
}
