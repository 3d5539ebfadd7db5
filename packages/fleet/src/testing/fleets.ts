import { createHash } from 'node:crypto';
import type { BtfFleetOptions } from '../fleet.js';
import type { NodeSource } from '../source/node-source.js';

/** OPTIONS are those of most tests: a node that does not respond is found out soon, and a busy machine is not taken for one. */
export const OPTIONS: BtfFleetOptions = { connectTimeout: 3_000 };

/** sha256 returns the digest of some parts. */
export function sha256(...parts: readonly (Uint8Array | string)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** sourceOf returns a source that lists nodes by the rules of a test. */
export function sourceOf(list: NodeSource['list']): NodeSource {
  return { description: 'the test', list };
}

/** kindsOf returns the kinds of outcomes by the name of the node. */
export function kindsOf(nodes: ReadonlyMap<string, { readonly kind: string }>): Record<string, string> {
  return Object.fromEntries([...nodes].map(([name, { kind }]) => [name, kind]));
}
