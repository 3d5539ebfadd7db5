import { createHash } from 'node:crypto';
import type { Spec } from '@btfd/btf';
import { BtfError, status } from '@btfd/client';
import type { AskedNode, Question } from '../ask/ask-builds.js';
import { Bounded, MAX_TIMER_MS, orAborted } from '../base/bounded.js';

/** As much BTF as a `BtfClient` keeps: ten kernels. */
const MAX_BYTES = 64 * 1024 * 1024;

/** KernelSpecsOptions are the options of {@link KernelSpecs}. */
export interface KernelSpecsOptions {
  /** As much BTF is kept. Default: 64 MiB. */
  readonly maxBytes?: number | undefined;
  /** A transfer ends if nothing arrives for this time, in milliseconds. */
  readonly timeout: number;
}

/** A transfer in progress. */
interface Transfer {
  /** The name of the node that sends. */
  readonly node: string;
  /** The signal of the question that began it. */
  readonly signal: AbortSignal;
  readonly spec: Promise<Spec>;
}

/** KernelSpecs gets the types of kernels from nodes and keeps those of the builds used last, so that each build is transferred once. */
export class KernelSpecs {
  readonly #maxBytes: number;
  readonly #timeout: number;
  /** By digest, in the order of use. */
  readonly #kept = new Map<string, Spec>();
  /** By digest. */
  readonly #transfers = new Map<string, Transfer>();
  #bytes = 0;

  constructor({ maxBytes = MAX_BYTES, timeout }: KernelSpecsOptions) {
    this.#maxBytes = maxBytes;
    this.#timeout = timeout;
  }

  /**
   * of returns the types of an object of a node's kernel.
   *
   * @throws BtfError as `spec` of `BtfClient` does, UNAVAILABLE if the node runs another kernel than in the survey, and
   * DEADLINE_EXCEEDED if nothing arrives for the time of a call.
   * @throws BtfFormatError for BTF that cannot be parsed.
   */
  async of(node: AskedNode, object: string): Promise<Spec> {
    const vmlinux = await this.#vmlinux(node);
    return object === 'vmlinux' ? vmlinux : transfer(node, object, this.#timeout, vmlinux);
  }

  async #vmlinux(asked: AskedNode): Promise<Spec> {
    const { digest } = asked.build;
    // The daemon says why there is none.
    if (digest === null) return transfer(asked, 'vmlinux', this.#timeout);
    const spec = this.#kept.get(digest) ?? (await this.#transferred(digest, asked));
    // Added again, as the one used last.
    this.#keep(digest, spec);
    return spec;
  }

  /**
   * Waits for the transfer of another question. If that is aborted, or another node fails, the node of this question is
   * asked.
   */
  async #transferred(digest: string, asked: AskedNode): Promise<Spec> {
    for (let other = this.#transfers.get(digest); other !== undefined; other = this.#transfers.get(digest)) {
      try {
        return await orAborted(other.spec, asked.signal);
      } catch (error) {
        asked.signal.throwIfAborted();
        // It would fail again.
        if (other.node === asked.node && !other.signal.aborted) throw error;
      }
    }
    const spec = checked(digest, asked, this.#timeout).finally(() => this.#transfers.delete(digest));
    this.#transfers.set(digest, { node: asked.node, signal: asked.signal, spec });
    return spec;
  }

  #keep(key: string, spec: Spec): void {
    if (!this.#kept.delete(key)) this.#bytes += spec.bytes.length;
    this.#kept.set(key, spec);
    for (const [oldest, { bytes }] of this.#kept) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#kept.delete(oldest);
      this.#bytes -= bytes.length;
    }
  }
}

/** @throws BtfError UNAVAILABLE if the BTF has another digest than the survey. */
async function checked(digest: string, asked: AskedNode, timeout: number): Promise<Spec> {
  const spec = await transfer(asked, 'vmlinux', timeout);
  if (createHash('sha256').update(spec.bytes).digest('hex') === digest) return spec;
  const message = `${asked.node} runs another kernel than when it was surveyed: ask again`;
  throw new BtfError({ code: status.UNAVAILABLE, reason: null, message });
}

/** @throws BtfError DEADLINE_EXCEEDED if nothing arrives for a time. */
async function transfer(
  { client, node, signal }: AskedNode,
  object: string,
  timeout: number,
  base?: Spec,
): Promise<Spec> {
  using bounded = new Bounded([signal], Infinity);
  let hasArrived = false;
  const end = (): void => {
    if (!hasArrived) bounded.abort(stalled(node, object, timeout));
    hasArrived = false;
  };
  // A process that did not run first reads what has arrived meanwhile.
  const timer = setInterval(() => setImmediate(end), Math.min(timeout, MAX_TIMER_MS));
  try {
    const onProgress = (): void => void (hasArrived = true);
    return await client.spec(object, { base, signal: bounded.signal, onProgress });
  } finally {
    clearInterval(timer);
  }
}

function stalled(node: string, object: string, timeout: number): BtfError {
  const message = `${node} sent nothing of the BTF of ${object} for ${timeout} ms`;
  return new BtfError({ code: status.DEADLINE_EXCEEDED, reason: null, message });
}

/** ofObject returns a question about an object of the kernel. The answer of a module depends on the module, and so does its absence. */
export function ofObject<T>(object: string, ask: Question<T>['ask']): Question<T> {
  if (object === 'vmlinux') return { ask };
  const dependencies = { modules: [object] };
  return { ask, dependsOn: () => dependencies, errorDependsOn: dependencies };
}
