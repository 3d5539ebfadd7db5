import type { SpecHeader, SpecResponse } from '@btfd/api';
import { Spec } from '@btfd/btf';
import { status } from '@grpc/grpc-js';
import { BtfError } from './btf-error.js';

/** RawBtf is the BTF of one object as the daemon sent it, verified by its digest. It never changes. */
export class RawBtf {
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes. */
  readonly digest: Uint8Array;
  /** SHA-256 of the base's bytes; empty where there is none or the daemon does not have it. */
  readonly baseDigest: Uint8Array;
  /** Whether the types of a base are continued. */
  readonly split: boolean;
  #spec: Spec | null = null;

  constructor(bytes: Uint8Array, header: SpecHeader) {
    this.bytes = bytes;
    this.digest = header.digest.slice();
    this.baseDigest = header.baseDigest.slice();
    this.split = header.split;
  }

  /** The Spec of BTF that is not split: always the same one. */
  standaloneSpec(): Spec {
    this.#spec ??= Spec.parse(this.bytes);
    return this.#spec;
  }
}

/** digestKey is a digest in hexadecimal, as a key of maps and for people. */
export function digestKey(digest: Uint8Array): string {
  return Buffer.from(digest).toString('hex');
}

/** receiveRawBtf reads the chunks that follow a header. @throws BtfError TRANSFER_CORRUPT. */
export async function receiveRawBtf(header: SpecHeader, parts: AsyncIterable<SpecResponse>): Promise<RawBtf> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const { part } of parts) {
    if (part.case !== 'raw') throw corrupt(`a part of kind ${part.case ?? 'unknown'} instead of raw BTF`);
    chunks.push(part.value);
    size += part.value.length;
    if (size > header.rawSize) throw corrupt(`more than the ${header.rawSize} bytes announced`);
  }
  if (size < header.rawSize) throw corrupt(`${size} of the ${header.rawSize} bytes announced`);
  const bytes = joinBytes(chunks);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  if (digestKey(digest) !== digestKey(header.digest)) throw corrupt('bytes of another digest than announced');
  return new RawBtf(bytes, header);
}

/** joinBytes puts chunks together. */
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
  return new BtfError({
    code: status.DATA_LOSS,
    reason: 'TRANSFER_CORRUPT',
    message: `the daemon sent ${received}`,
  });
}
