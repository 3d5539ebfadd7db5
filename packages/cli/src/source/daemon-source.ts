import type { Spec } from '@btfd/btf';
import type { BtfClient, Handle, MemberResult, SpecNote, TransferOptions } from '@btfd/client';
import { isBtfError } from '../error/cli-error.js';
import { checkFit } from './base-fit.js';
import { type CForm, noteUnknown, type Source, specMembers } from './source.js';
import type { ObjectRef } from './spec-ref.js';

/** DaemonSource is an object in the kernel of a node. */
export class DaemonSource implements Source {
  readonly label: string;
  readonly #client: BtfClient;
  readonly #isLocal: boolean;
  readonly #object: ObjectRef;
  readonly #base: Source | null;
  readonly #transfer: (source: string) => TransferOptions;
  readonly #note: (text: string) => void;
  #handle: Promise<Handle> | null = null;
  #spec: Promise<Spec> | null = null;

  /**
   * @param isLocal whether the client has the socket of a daemon of this machine.
   * @param base the base of split BTF; null for the node's own vmlinux.
   * @param transfer returns the options of one request.
   * @param note prints a note about the object.
   */
  constructor(
    label: string,
    client: BtfClient,
    isLocal: boolean,
    object: ObjectRef,
    base: Source | null,
    transfer: (source: string) => TransferOptions,
    note: (text: string) => void,
  ) {
    this.label = label;
    this.#client = client;
    this.#isLocal = isLocal;
    this.#object = object;
    this.#base = base;
    this.#transfer = transfer;
    this.#note = note;
  }

  spec(): Promise<Spec> {
    this.#spec ??= this.#fetch();
    return this.#spec;
  }

  /**
   * A daemon of this machine prints an object of the kernel, unless that is too much for it. One that has printed before takes a
   * small part of the time that a new process takes. The BTF of other machines is in the cache.
   */
  async printedC(form: CForm): Promise<string | null> {
    if (!this.#isLocal || this.#base !== null || this.#object.kind !== 'name') return null;
    const notes: SpecNote[] = [];
    const options = { ...form, ...this.#transfer(this.label), onNote: (note: SpecNote) => notes.push(note) };
    try {
      const text = await this.#client.cHeader(this.#object.name, {}, options);
      noteUnknown(notes, this.label, this.#note);
      return text;
    } catch (error) {
      if (isBtfError(error) && (error.reason === 'OUTPUT_TOO_LARGE' || error.reason === 'WORK_TOO_LARGE'))
        return null;
      throw error;
    }
  }

  async members(paths: readonly string[]): Promise<MemberResult[]> {
    // The daemon only has its own base.
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
    noteUnknown(spec.notes, this.label, this.#note);
    checkFit(spec, this.label, this.#base);
    return spec;
  }

  /** Holds the object until the client is closed: an object without a name lives only as long as someone holds it. */
  #opened(id: number): Promise<Handle> {
    this.#handle ??= this.#client.getHandleById(id, { signal: this.#transfer(this.label).signal });
    return this.#handle;
  }
}

/** Maximum number of paths that a daemon accepts in one request. */
const MAX_PATHS = 1000;

/** Half of the message size that every daemon accepts by default. */
const MAX_BYTES = 32 * 1024;

/** The field number and the length of a path in a message. */
const OVERHEAD_BYTES = 6;

/** pathBatches splits paths, in their order, into the fewest parts that a daemon accepts. */
export function* pathBatches(paths: readonly string[]): Generator<string[], void, undefined> {
  let batch: string[] = [];
  let bytes = 0;
  for (const path of paths) {
    const size = Buffer.byteLength(path) + OVERHEAD_BYTES;
    if (batch.length === MAX_PATHS || (batch.length > 0 && bytes + size > MAX_BYTES)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(path);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
