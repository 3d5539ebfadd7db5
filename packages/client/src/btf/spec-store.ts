import type { SpecHeader, SpecResponse } from '@btfd/api';
import { isSplit, Spec } from '@btfd/btf';
import { status } from '@grpc/grpc-js';
import { onAbort } from '../base/abort.js';
import { ENCODINGS } from '../base/enum-numbers.js';
import type { CallLimits, Connection } from '../call/connection.js';
import type { RequestOf } from '../call/methods.js';
import { SharedCalls } from '../call/shared-calls.js';
import { BtfError, clientError, invalidResponse } from '../error/btf-error.js';
import { digestKey, RawBtf, receiveRawBtf } from './raw-btf.js';
import { RawBtfCache } from './raw-btf-cache.js';
import { SpecCacheDir } from './spec-cache-dir.js';
import type { TransferOptions, TransferProgress } from './transfer-progress.js';

/** SpecSource is the object whose BTF is requested: a handle's token, or the name of an object of the kernel. */
export type SpecSource = Extract<RequestOf<'spec'>['source'], { case: 'handle' | 'name' }>;

/** TRANSFER_TIMEOUT_MS is the deadline of a transfer: enough for a vmlinux of 5.5 MB at 50 kB/s. */
export const TRANSFER_TIMEOUT_MS = 120_000;

/** Room for a kernel with all modules of a distribution, or for ten kernels. */
const CACHE_BYTES = 64 * 1024 * 1024;
/** Room for the kernels and modules of some ten releases. */
const CACHE_DIR_BYTES = 512 * 1024 * 1024;

/**
 * A response that is not needed is read to its end up to this size, which is one part of a transfer. Cancelling it
 * would reset its stream, and Node's HTTP/2 ends a connection with all its calls after a thousand resets in a short time.
 */
const READ_OUT_BYTES = 256 * 1024;

/** 256 MiB. A vmlinux has 5 to 10 MiB. A daemon may be a stranger, which could fill the memory of a client. */
export const MAX_RAW_BYTES = 256 * 1024 * 1024;

/** SpecStoreOptions are the options of a {@link SpecStore}: where and how much BTF it keeps. */
export interface SpecStoreOptions {
  readonly specCacheBytes?: number | undefined;
  readonly specCacheDir?: string | undefined;
  readonly specCacheDirBytes?: number | undefined;
}

/** KnownObject are the facts about an object that are known before its BTF is requested. */
export interface KnownObject {
  /** The kernel's name for it; empty if it has none. */
  readonly name: string;
  /** The digest of its BTF in hexadecimal; null if it is not known. */
  readonly digest: string | null;
}

type Report = (progress: TransferProgress) => void;

/**
 * SpecStore gets the BTF of objects from the daemon and keeps it by digest. The daemon does not send BTF again that the
 * store has, and simultaneous requests for one digest make one transfer.
 */
export class SpecStore {
  readonly #connection: Connection;
  readonly #cache: RawBtfCache;
  readonly #dir: SpecCacheDir | null;
  readonly #transfers = new SharedCalls<RawBtf, TransferProgress>();
  readonly #vmlinuxRequests = new SharedCalls<RawBtf, TransferProgress>();
  /** The digests of objects of the kernel when last seen, by name. The daemon confirms or corrects them. */
  readonly #lastByName = new Map<string, string>();

  constructor(connection: Connection, options: SpecStoreOptions = {}) {
    const {
      specCacheBytes = CACHE_BYTES,
      specCacheDir = null,
      specCacheDirBytes = CACHE_DIR_BYTES,
    } = options;
    this.#connection = connection;
    this.#cache = new RawBtfCache(specCacheBytes);
    this.#dir = specCacheDir === null ? null : new SpecCacheDir(specCacheDir, specCacheDirBytes);
  }

  /** Returns the BTF of an object of the kernel. */
  async rawByName(name: string, { signal, onProgress }: TransferOptions): Promise<RawBtf> {
    const request = async (stop?: AbortSignal, report?: Report): Promise<RawBtf> =>
      this.#request({ case: 'name', value: name }, { name, digest: null }, stop, report);
    // A module can be loaded again while its BTF is requested. A later caller must not get that of the older one.
    if (name !== 'vmlinux') return request(signal, onProgress);
    return this.#vmlinuxRequests.run(name, signal, request, onProgress);
  }

  /** Returns the BTF of a handle's object. */
  async rawOfHandle(
    token: string,
    object: KnownObject,
    { signal, onProgress }: TransferOptions,
  ): Promise<RawBtf> {
    return this.#request({ case: 'handle', value: token }, object, signal, onProgress);
  }

  /**
   * Parses BTF. Split BTF is parsed on its base.
   *
   * @param base the base. Undefined for the running kernel's vmlinux, null for none.
   * @throws BtfError MISSING_BASE for split BTF if `base` is null; BASE_MISMATCH if vmlinux is not its base.
   * @throws BtfFormatError for BTF that cannot be parsed.
   */
  async parse(raw: RawBtf, base: Spec | null | undefined, options: TransferOptions): Promise<Spec> {
    if (!raw.split) return raw.standaloneSpec();
    if (base === null) throw missingBase();
    return Spec.parse(raw.bytes, { base: base ?? (await this.#baseOf(raw, options)).standaloneSpec() });
  }

  /** Resolves when nothing is being written to the folder. */
  async settled(): Promise<void> {
    await this.#dir?.settled();
  }

  async #baseOf(raw: RawBtf, options: TransferOptions): Promise<RawBtf> {
    const base = this.#cache.get(digestKey(raw.baseDigest)) ?? (await this.rawByName('vmlinux', options));
    const expected = digestKey(raw.baseDigest);
    if (expected !== '' && expected !== digestKey(base.digest)) throw baseMismatch();
    return base;
  }

  async #request(
    source: SpecSource,
    object: KnownObject,
    signal: AbortSignal | undefined,
    report: Report | undefined,
  ): Promise<RawBtf> {
    const limits = { timeout: TRANSFER_TIMEOUT_MS, signal };
    const raw = await this.#connection.retrying('spec', limits, async (attempt) => {
      // Looked up for each attempt, so that BTF that an earlier attempt fetched is not fetched again.
      const known = await this.#known(object);
      const request = {
        source,
        encoding: ENCODINGS.RAW,
        ...(known && { ifNoneMatch: { digest: known.digest, baseDigest: known.baseDigest } }),
      };
      return this.#receive(request, known, attempt, report);
    });
    if (object.name !== '') this.#remember(object.name, raw);
    return raw;
  }

  /** Returns the BTF that the object probably has: the one when it was last seen. */
  async #known({ name, digest }: KnownObject): Promise<RawBtf | undefined> {
    const last = digest ?? this.#lastByName.get(name);
    const known = last === undefined ? undefined : this.#cache.get(last);
    return known ?? (name === '' ? undefined : await this.#knownOnDisk(name));
  }

  async #knownOnDisk(name: string): Promise<RawBtf | undefined> {
    const last = await this.#dir?.lastSeen(name);
    const bytes = last && (await this.#dir?.read(last.digest));
    if (!last || !bytes) return undefined;
    const digest = Buffer.from(last.digest, 'hex');
    const baseDigest = Buffer.from(last.baseDigest, 'hex');
    try {
      return new RawBtf(bytes, { digest, baseDigest, split: isSplit(bytes) });
    } catch {
      // The daemon sent it, but it is not BTF. The caller gets the error of parsing it.
      return undefined;
    }
  }

  #remember(name: string, raw: RawBtf): void {
    this.#cache.add(raw);
    const [digest, baseDigest] = [digestKey(raw.digest), digestKey(raw.baseDigest)];
    if (this.#lastByName.get(name) === digest) return;
    this.#lastByName.set(name, digest);
    this.#dir?.writeLastSeen(name, { digest, baseDigest });
  }

  async #receive(
    request: RequestOf<'spec'>,
    known: RawBtf | undefined,
    { timeout, signal }: CallLimits,
    report: Report | undefined,
  ): Promise<RawBtf> {
    const call = new AbortController();
    const parts = this.#connection.stream('spec', request, { timeout, signal: call.signal });
    const stopFollowing = onAbort(signal, () => call.abort(signal?.reason));
    let handedOver = false;
    try {
      const header = await nextHeader(parts);
      if (header.rawSize > MAX_RAW_BYTES) throw tooLarge(header);
      const here = header.notModified ? known : this.#cache.get(digestKey(header.digest));
      if (here !== undefined) {
        if (header.notModified || header.rawSize <= READ_OUT_BYTES) await readOut(parts);
        return here;
      }
      // From here on other calls may wait for these bytes too, so the signal of all of them together counts.
      const transfer = this.#transfers.run(
        digestKey(header.digest),
        signal,
        async (shared, reportAll) => {
          handedOver = true;
          stopFollowing();
          onAbort(shared, () => call.abort(shared.reason));
          const raw = await this.#fromDiskOrTransfer(header, parts, reportAll);
          this.#cache.add(raw);
          return raw;
        },
        report,
      );
      if (!handedOver) call.abort();
      return await transfer;
    } finally {
      stopFollowing();
      if (!handedOver) await parts.return();
    }
  }

  async #fromDiskOrTransfer(
    header: SpecHeader,
    parts: AsyncGenerator<SpecResponse, void, undefined>,
    report: Report,
  ): Promise<RawBtf> {
    const { info, rawSize } = header;
    // Users' objects come and go. They would push the kernel's BTF out of the folder.
    const dir = info?.isKernel === true ? this.#dir : null;
    const digest = digestKey(header.digest);
    const stored = await dir?.read(digest);
    if (stored) {
      await parts.return();
      return new RawBtf(stored, header);
    }
    const name = info?.name ?? '';
    const raw = await receiveRawBtf(header, parts, (received) => report({ name, received, total: rawSize }));
    dir?.write(digest, raw.bytes);
    return raw;
  }
}

async function nextHeader(parts: AsyncIterator<SpecResponse>): Promise<SpecHeader> {
  const next = await parts.next();
  const part = next.done === true ? undefined : next.value.part;
  if (part?.case !== 'header') throw invalidResponse('header');
  return part.value;
}

async function readOut(parts: AsyncIterable<SpecResponse>): Promise<void> {
  for await (const _ of parts);
}

function tooLarge({ rawSize }: SpecHeader): BtfError {
  const message = `the daemon announces ${rawSize} bytes of BTF, of which at most ${MAX_RAW_BYTES} are read`;
  return clientError('INVALID_RESPONSE', message);
}

function missingBase(): BtfError {
  return new BtfError({
    code: status.FAILED_PRECONDITION,
    reason: 'MISSING_BASE',
    message: 'missing base types: split BTF needs its base',
  });
}

function baseMismatch(): BtfError {
  return clientError('BASE_MISMATCH', "the daemon's vmlinux is not the base of this BTF");
}
