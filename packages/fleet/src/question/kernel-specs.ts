import { createHash } from 'node:crypto';
import type { Spec } from '@btfd/btf';
import { BtfError, status } from '@btfd/client';
import type { AskedNode, Question } from '../ask/ask-builds.js';
import { orAborted } from '../base/bounded.js';

/** As much BTF as a `BtfClient` keeps: ten kernels. */
const MAX_BYTES = 64 * 1024 * 1024;

/** KernelSpecs gets the types of kernels from nodes and keeps those of the builds used last, so that each build is transferred once. */
export class KernelSpecs {
  readonly #maxBytes: number;
  /** By digest, in the order of use. */
  readonly #kept = new Map<string, Spec>();
  /** The transfers in progress, by digest. */
  readonly #moving = new Map<string, Promise<Spec>>();
  #bytes = 0;

  constructor(maxBytes = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /**
   * of returns the types of an object of a node's kernel.
   *
   * @throws BtfError as `spec` of `BtfClient` does, and UNAVAILABLE if the node runs another kernel than in the survey.
   * @throws BtfFormatError for BTF that cannot be parsed.
   */
  async of(node: AskedNode, object: string): Promise<Spec> {
    const { client, signal } = node;
    const vmlinux = await this.#vmlinux(node);
    return object === 'vmlinux' ? vmlinux : client.spec(object, { base: vmlinux, signal });
  }

  async #vmlinux(asked: AskedNode): Promise<Spec> {
    const key = asked.build.digest ?? '';
    const spec = this.#kept.get(key) ?? (await this.#moved(key, asked));
    // Added again, as the one used last.
    this.#keep(key, spec);
    return spec;
  }

  /** Waits for the transfer of another question. If that fails or is aborted, the node of this question is asked. */
  async #moved(key: string, asked: AskedNode): Promise<Spec> {
    for (let other = this.#moving.get(key); other !== undefined; other = this.#moving.get(key)) {
      const spec = await orAborted(
        other.catch(() => null),
        asked.signal,
      );
      if (spec !== null) return spec;
    }
    const moving = move(key, asked).finally(() => this.#moving.delete(key));
    this.#moving.set(key, moving);
    return moving;
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
async function move(digest: string, { client, node, signal }: AskedNode): Promise<Spec> {
  const spec = await client.spec('vmlinux', { signal });
  if (createHash('sha256').update(spec.bytes).digest('hex') === digest) return spec;
  const message = `${node} runs another kernel than when it was surveyed: ask again`;
  throw new BtfError({ code: status.UNAVAILABLE, reason: null, message });
}

/** ofObject returns a question about an object of the kernel. The answer of a module depends on the module, and so does its absence. */
export function ofObject<T>(object: string, ask: Question<T>['ask']): Question<T> {
  if (object === 'vmlinux') return { ask };
  const dependencies = { modules: [object] };
  return { ask, dependsOn: () => dependencies, errorDependsOn: dependencies };
}
