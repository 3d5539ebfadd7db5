import { durationMs } from './base/duration.js';
import type { CallLimits, Connection } from './call/connection.js';

/** Maximum number of tokens that the contract allows in one request. */
const MAX_TOKENS = 1000;

/** renewTokens renews leases. It returns the rest of each in milliseconds, or null if it is gone. */
export async function renewTokens(
  connection: Connection,
  tokens: readonly string[],
  limits: CallLimits,
): Promise<(number | null)[]> {
  const remaining: (number | null)[] = [];
  for (const batch of batches(tokens)) {
    const { results } = await connection.unary('renewHandles', { tokens: batch }, limits);
    for (const { open, remainingTtl } of results) {
      const ms = remainingTtl === undefined ? 0 : durationMs(remainingTtl);
      remaining.push(open ? ms : null);
    }
  }
  return remaining;
}

/** closeTokens closes handles. It skips those that are not open. */
export async function closeTokens(
  connection: Connection,
  tokens: readonly string[],
  limits: CallLimits,
): Promise<void> {
  for (const batch of batches(tokens)) {
    await connection.unary('closeHandles', { tokens: batch }, limits);
  }
}

function batches(tokens: readonly string[]): string[][] {
  const count = Math.ceil(tokens.length / MAX_TOKENS);
  return Array.from({ length: count }, (_, i) => tokens.slice(i * MAX_TOKENS, (i + 1) * MAX_TOKENS));
}
