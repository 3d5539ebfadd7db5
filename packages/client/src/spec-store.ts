import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { Encoding, type SpecHeader, type SpecRequest, SpecRequestSchema, type SpecResponse } from '@btfd/api';
import { Spec } from '@btfd/btf';
import { status } from '@grpc/grpc-js';
import { BtfError } from './btf-error.js';
import type { Connection } from './connection.js';
import { invalidResponse } from './invalid-response.js';
import { methods } from './methods.js';
import { onAbort } from './on-abort.js';
import { digestKey, type RawBtf, receiveRawBtf } from './raw-btf.js';
import { RawBtfCache } from './raw-btf-cache.js';
import { SharedCalls } from './shared-calls.js';

/** SpecSource says whose BTF is asked for. */
export type SpecSource = Extract<
  MessageInitShape<typeof SpecRequestSchema>['source'],
  { case: 'handle' | 'name' }
>;

/** TRANSFER_TIMEOUT_MS is the deadline of a transfer: a vmlinux of 5.5 MB takes this long at 50 kB/s. */
export const TRANSFER_TIMEOUT_MS = 120_000;

/** Room for a kernel with all modules of a distribution, or for ten kernels. */
const CACHE_BYTES = 64 * 1024 * 1024;

/**
 * SpecStore gets the BTF of objects from the daemon. What it has already, known by digest, is not sent
 * again, and requests for one digest at the same time make one transfer.
 */
export class SpecStore {
  readonly #connection: Connection;
  readonly #cache = new RawBtfCache(CACHE_BYTES);
  readonly #transfers = new SharedCalls<RawBtf>();
  readonly #requestsByName = new SharedCalls<RawBtf>();
  /** What an object of the kernel was when last seen, by name: a guess that the daemon confirms. */
  readonly #lastByName = new Map<string, Uint8Array>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The BTF of an object of the kernel. */
  async rawByName(name: string, signal: AbortSignal | undefined): Promise<RawBtf> {
    return this.#requestsByName.run(name, signal, (shared) =>
      this.#request({ case: 'name', value: name }, name, shared),
    );
  }

  /**
   * The BTF of a handle's object.
   *
   * @param name the kernel's name for the object; empty where it has none.
   */
  async rawOfHandle(token: string, name: string, signal: AbortSignal | undefined): Promise<RawBtf> {
    return this.#request({ case: 'handle', value: token }, name, signal);
  }

  /**
   * Parses BTF, split BTF on its base.
   *
   * @param base the base. undefined: the running kernel's vmlinux; null: none.
   */
  async parse(raw: RawBtf, base: Spec | null | undefined, signal: AbortSignal | undefined): Promise<Spec> {
    if (!raw.split) return raw.standaloneSpec();
    if (base === null) throw missingBase();
    return Spec.parse(raw.bytes, { base: base ?? (await this.#baseOf(raw, signal)).standaloneSpec() });
  }

  async #baseOf(raw: RawBtf, signal: AbortSignal | undefined): Promise<RawBtf> {
    const base = this.#cache.get(raw.baseDigest) ?? (await this.rawByName('vmlinux', signal));
    const expected = digestKey(raw.baseDigest);
    if (expected !== '' && expected !== digestKey(base.digest)) throw baseMismatch();
    return base;
  }

  async #request(source: SpecSource, name: string, signal: AbortSignal | undefined): Promise<RawBtf> {
    const last = this.#lastByName.get(name);
    const known = last && this.#cache.get(last);
    const request = create(SpecRequestSchema, {
      source,
      encoding: Encoding.RAW,
      ...(known && { ifNoneMatch: { digest: known.digest, baseDigest: known.baseDigest } }),
    });
    const raw = await this.#receive(request, known, signal);
    if (name !== '') this.#lastByName.set(name, raw.digest);
    return raw;
  }

  async #receive(
    request: SpecRequest,
    known: RawBtf | undefined,
    signal: AbortSignal | undefined,
  ): Promise<RawBtf> {
    const call = new AbortController();
    const parts = this.#connection.stream(methods.spec, request, {
      timeout: TRANSFER_TIMEOUT_MS,
      signal: call.signal,
    });
    const stopFollowing = onAbort(signal, () => call.abort(signal?.reason));
    let handedOver = false;
    try {
      const header = await nextHeader(parts);
      if (header.notModified && known !== undefined) return known;
      const cached = this.#cache.get(header.digest);
      if (cached !== undefined) return cached;
      // From here on others may wait for these bytes too: the signal of all of them together counts.
      const transfer = this.#transfers.run(digestKey(header.digest), signal, async (shared) => {
        handedOver = true;
        stopFollowing();
        onAbort(shared, () => call.abort(shared.reason));
        const raw = await receiveRawBtf(header, parts);
        this.#cache.add(raw);
        return raw;
      });
      if (!handedOver) call.abort();
      return await transfer;
    } finally {
      stopFollowing();
      if (!handedOver) await parts.return();
    }
  }
}

async function nextHeader(parts: AsyncIterator<SpecResponse>): Promise<SpecHeader> {
  const next = await parts.next();
  const part = next.done === true ? undefined : next.value.part;
  if (part?.case !== 'header') throw invalidResponse('header');
  return part.value;
}

function missingBase(): BtfError {
  return new BtfError({
    code: status.FAILED_PRECONDITION,
    reason: 'MISSING_BASE',
    message: 'missing base types: split BTF needs its base',
  });
}

function baseMismatch(): BtfError {
  return new BtfError({
    code: status.FAILED_PRECONDITION,
    reason: 'BASE_MISMATCH',
    message: "the daemon's vmlinux is not the base of this BTF",
  });
}
