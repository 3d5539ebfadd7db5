import type { SpecHeader, SpecResponse } from '@btfd/api';
import { Spec } from '@btfd/btf';
import { type BtfError, clientError } from '../error/btf-error.js';

/** RawBtfFacts are the facts about BTF that its header message has. */
export interface RawBtfFacts {
  /** SHA-256 of the bytes. */
  readonly digest: Uint8Array;
  /** SHA-256 of the base's bytes; empty if there is no base or the daemon does not have it. */
  readonly baseDigest: Uint8Array;
  /** Whether it is split BTF, which continues the types of a base. */
  readonly split: boolean;
}

/** RawBtf is the BTF of one object as the daemon sent it, verified by its digest. It is immutable. */
export class RawBtf implements RawBtfFacts {
  readonly bytes: Uint8Array;
  readonly digest: Uint8Array;
  readonly baseDigest: Uint8Array;
  readonly split: boolean;
  #spec: Spec | null = null;

  constructor(bytes: Uint8Array, { digest, baseDigest, split }: RawBtfFacts) {
    this.bytes = bytes;
    // Copies, because those in a message keep all the bytes that were received with it.
    this.digest = digest.slice();
    this.baseDigest = baseDigest.slice();
    this.split = split;
  }

  /** Returns the Spec of BTF that is not split, always the same one. @throws BtfFormatError for malformed BTF. */
  standaloneSpec(): Spec {
    this.#spec ??= Spec.parse(this.bytes);
    return this.#spec;
  }
}

/** digestKey returns a digest in hexadecimal, as a key of maps and for people. */
export function digestKey(digest: Uint8Array): string {
  return Buffer.from(digest).toString('hex');
}

/** sha256Hex returns the SHA-256 of bytes in hexadecimal. It is computed off the event loop. */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return digestKey(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

/**
 * receiveRawBtf returns the BTF in the chunks that follow a header.
 *
 * @param received called with the number of bytes received, first with 0.
 * @throws BtfError TRANSFER_CORRUPT if the bytes do not have the size and digest in the header.
 */
export async function receiveRawBtf(
  header: SpecHeader,
  parts: AsyncIterable<SpecResponse>,
  received: (size: number) => void,
): Promise<RawBtf> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  received(size);
  for await (const { part } of parts) {
    if (part.case !== 'raw') throw corrupt(`a part of kind ${part.case ?? 'unknown'} instead of raw BTF`);
    chunks.push(part.value);
    size += part.value.length;
    if (size > header.rawSize) throw corrupt(`more than the ${header.rawSize} bytes announced`);
    received(size);
  }
  if (size < header.rawSize) throw corrupt(`${size} of the ${header.rawSize} bytes announced`);
  const bytes = joinBytes(chunks);
  if ((await sha256Hex(bytes)) !== digestKey(header.digest))
    throw corrupt('bytes with another digest than announced');
  return new RawBtf(bytes, header);
}

/** joinBytes returns the concatenation of chunks. */
export function joinBytes(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function corrupt(received: string): BtfError {
  return clientError('TRANSFER_CORRUPT', `the daemon sent ${received}`);
}
