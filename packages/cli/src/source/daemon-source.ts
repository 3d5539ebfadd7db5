import type { Spec } from '@btfd/btf';
import type { BtfClient, Handle, MemberResult, TransferOptions } from '@btfd/client';
import type { ObjectRef } from './spec-ref.js';
import { checkFit } from './base-fit.js';
import { type Source, specMembers } from './source.js';

/** DaemonSource is an object of the kernel of a node. */
export class DaemonSource implements Source {
  readonly label: string;
  readonly #client: BtfClient;
  readonly #object: ObjectRef;
  readonly #base: Source | null;
  readonly #transfer: (source: string) => TransferOptions;
  #handle: Promise<Handle> | null = null;
  #spec: Promise<Spec> | null = null;

  /**
   * @param base what split BTF continues; null for the node's own vmlinux.
   * @param transfer makes the options of one request of a source.
   */
  constructor(
    label: string,
    client: BtfClient,
    object: ObjectRef,
    base: Source | null,
    transfer: (source: string) => TransferOptions,
  ) {
    this.label = label;
    this.#client = client;
    this.#object = object;
    this.#base = base;
    this.#transfer = transfer;
  }

  spec(): Promise<Spec> {
    this.#spec ??= this.#fetch();
    return this.#spec;
  }

  async members(paths: readonly string[]): Promise<MemberResult[]> {
    // The daemon knows but its own base.
    if (this.#base !== null) return specMembers(await this.spec(), paths);
    const results: MemberResult[] = [];
    for (const batch of pathBatches(paths)) results.push(...(await this.#membersOf(batch)));
    return results;
  }

  async #membersOf(paths: readonly string[]): Promise<MemberResult[]> {
    const { signal } = this.#transfer(this.label);
    return this.#object.kind === 'name'
      ? this.#client.resolveMembers(this.#object.name, paths, { signal })
      : (await this.#opened(this.#object.id)).resolveMembers(paths, { signal });
  }

  async #fetch(): Promise<Spec> {
    const base = await this.#base?.spec();
    const options = { base, ...this.#transfer(this.label) };
    const spec = await (this.#object.kind === 'name'
      ? this.#client.spec(this.#object.name, options)
      : (await this.#opened(this.#object.id)).spec(options));
    checkFit(spec, this.label, this.#base);
    return spec;
  }

  /** Held until the client is closed: what has an id only lives as long as someone holds it. */
  #opened(id: number): Promise<Handle> {
    this.#handle ??= this.#client.getHandleById(id, { signal: this.#transfer(this.label).signal });
    return this.#handle;
  }
}

/** As many paths as a daemon takes at once. */
const MAX_PATHS = 1000;

/** Half of the smallest message that every daemon takes by default. */
const MAX_BYTES = 32 * 1024;

/** What a path takes in a message besides its text: its field's number and its length. */
const BYTES_BESIDES = 6;

/** pathBatches are paths in the order given, in as many parts as it takes for a daemon to take each. */
export function* pathBatches(paths: readonly string[]): Generator<string[], void, undefined> {
  let batch: string[] = [];
  let bytes = 0;
  for (const path of paths) {
    const size = Buffer.byteLength(path) + BYTES_BESIDES;
    if (batch.length === MAX_PATHS || (batch.length > 0 && bytes + size > MAX_BYTES)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(path);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
