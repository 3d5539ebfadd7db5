import { Spec } from '@btfd/btf';
import { fetchMembers, type MemberResult } from './btf/member-result.js';
import type { RawBtf } from './btf/raw-btf.js';
import {
  C_HEADER_RULES,
  type CHeaderOptions,
  fetchCHeader,
  fetchSelectedTypes,
  type SelectedTypes,
} from './btf/selected-types.js';
import { allFound, checkSelection, SELECTION_RULES, selectsAll, type Selection } from './btf/selection.js';
import type { SpecSource } from './btf/spec-store.js';
import { TRANSFER_RULES, type TransferOptions } from './btf/transfer-progress.js';
import { CALL_RULES, type CallOptions } from './call/call-options.js';
import { aListOf, aString, checkOptions, rule, type Rules } from './error/argument.js';
import type { Session } from './session.js';

/** SpecOptions are the options of a call that returns a {@link Spec}. */
export interface SpecOptions extends TransferOptions {
  /**
   * The base of split BTF, such as a module's: a Spec, a handle whose Spec to use, or null for none, so that split BTF
   * fails with MISSING_BASE. It has no effect on BTF that is not split. Default: the vmlinux of the daemon's kernel,
   * which is transferred once and then shared.
   */
  readonly base?: Spec | RemoteBtf | null | undefined;
}

/** SelectedOptions select types for {@link RemoteBtf.spec}. */
export interface SelectedOptions extends Selection {
  /** Selected types always come with every type that they refer to, because they would be invalid without them. Default: true. */
  readonly closure?: true | undefined;
}

/** RemoteBtf is BTF on the daemon's machine, which is read by an object's name or through a handle. */
export abstract class RemoteBtf {
  protected readonly session: Session;

  /** @internal */
  constructor(session: Session) {
    this.session = session;
  }

  /**
   * spec returns the object's type information. The BTF is transferred once per digest and kept, up to the client's
   * `specCacheBytes`. For BTF that is not split, every caller gets the same Spec. With a selection it returns the Spec
   * of {@link selectTypes}, in which every selected name, glob and id must be. Modelled on `Handle.Spec` of cilium/ebpf.
   *
   * @throws BtfError MISSING_BASE for split BTF if `base` is null, or if it is selected from and the daemon has no base.
   * @throws BtfError BASE_MISMATCH if the daemon's vmlinux is not the base of split BTF.
   * @throws BtfError TRANSFER_CORRUPT if the bytes received differ from those announced.
   * @throws BtfError NO_MATCH if a name, glob or id selects no type.
   * @throws BtfError for the source, as {@link rawBtf} does, and for every call, see {@link BtfError}.
   * @throws BtfReadError of `@btfd/btf`, if the BTF cannot be parsed.
   */
  async spec(options: SpecOptions & SelectedOptions = {}): Promise<Spec> {
    checkOptions(options, SPEC_RULES);
    const { base, signal, onProgress, closure, ...selection } = options;
    const transfer = { signal, onProgress };
    const { specs } = this.session;
    if (closure !== undefined || !selectsAll(selection)) {
      const { spec, notFound } = await this.selectTypes(selection, transfer);
      return allFound(spec, notFound);
    }
    const raw = await this.raw(transfer);
    return specs.parse(raw, base instanceof RemoteBtf ? await base.spec(transfer) : base, transfer);
  }

  /**
   * rawBtf returns the object's BTF as the kernel holds it. It is a copy that the caller may change.
   *
   * @throws BtfError HANDLE_NOT_FOUND, HANDLE_OF_EARLIER_DAEMON, LEASE_EXPIRED or HANDLE_CLOSED if the handle is not
   * open.
   * @throws BtfError TRANSFER_CORRUPT if the bytes received differ from those announced.
   * @throws BtfError for every call, see {@link BtfError}.
   */
  async rawBtf(options: TransferOptions = {}): Promise<Uint8Array> {
    checkOptions(options, TRANSFER_RULES);
    return (await this.raw(options)).bytes.slice();
  }

  /**
   * selectTypes returns some of the object's types, with every type that they refer to, as a Spec of their own with ids
   * of its own. The types of split BTF come together with those of its base, the vmlinux of the daemon's kernel. The
   * daemon makes the selection, so only the selected types are transferred.
   *
   * ```ts
   * const { spec, notFound } = await handle.selectTypes({ names: ['task_struct'] });
   * ```
   *
   * @throws BtfError BTF_UNDECODABLE if the daemon cannot decode the BTF; MISSING_BASE if it has no base of split BTF.
   * @throws BtfError WORK_TOO_LARGE if the selection takes the daemon too much time or memory.
   * @throws BtfError for the source, as {@link rawBtf} does, and for every call, see {@link BtfError}.
   */
  async selectTypes(selection: Selection, options: TransferOptions = {}): Promise<SelectedTypes> {
    checkSelection(selection);
    checkOptions(options, TRANSFER_RULES);
    const { connection } = this.session;
    return this.read((source) => fetchSelectedTypes(connection, source, selection, options));
  }

  /**
   * cHeader returns the object's types, or the selected ones with all that they need, as a C header. Modelled on
   * `btf dump format c` of bpftool 7.8. A selection also declares the functions and variables in it.
   *
   * @throws BtfError OUTPUT_TOO_LARGE if the header is larger than the daemon makes; NO_MATCH if a name, glob or id
   * selects no type.
   * @throws BtfError BTF_UNDECODABLE, MISSING_BASE or WORK_TOO_LARGE, as {@link selectTypes} does.
   * @throws BtfError for the source, as {@link rawBtf} does, and for every call, see {@link BtfError}.
   */
  async cHeader(selection: Selection = {}, options: CHeaderOptions = {}): Promise<string> {
    checkSelection(selection);
    checkOptions(options, C_HEADER_RULES);
    const { connection } = this.session;
    return this.read((source) => fetchCHeader(connection, source, selection, options));
  }

  /**
   * resolveMembers returns where members are: offset, size and type of `task_struct.mm.pgd`. It takes at most 1000 paths
   * and returns one result per path. If a path has no member, its result has an `error`, and a `failure` with its code and
   * the types that an ambiguous path may mean. The daemon resolves the paths, so no BTF is transferred. See
   * `resolveMember` of `@btfd/btf` for paths, and for names that several types have.
   *
   * @throws BtfError BTF_UNDECODABLE, MISSING_BASE or WORK_TOO_LARGE, as {@link selectTypes} does.
   * @throws BtfError for the source, as {@link rawBtf} does, and for every call, see {@link BtfError}.
   */
  async resolveMembers(paths: readonly string[], options: CallOptions = {}): Promise<MemberResult[]> {
    aListOf(aString)('paths', paths);
    checkOptions(options, CALL_RULES);
    const { signal, timeout = this.session.timeout } = options;
    const { connection } = this.session;
    return this.read((source) => fetchMembers(connection, source, paths, { signal, timeout }));
  }

  /** Returns the object's BTF, from the daemon or from the cache. */
  protected abstract raw(options: TransferOptions): Promise<RawBtf>;

  /** Makes a call that reads the object. */
  protected abstract read<T>(call: (source: SpecSource) => Promise<T>): Promise<T>;
}

/** NamedBtf is the BTF of an object of the kernel, by its name. */
export class NamedBtf extends RemoteBtf {
  readonly #name: string;

  /** @throws BtfError INVALID_REQUEST for a name that is not a string. */
  constructor(session: Session, name: string) {
    aString('name', name);
    super(session);
    this.#name = name;
  }

  protected override async raw(options: TransferOptions): Promise<RawBtf> {
    return this.session.specs.rawByName(this.#name, options);
  }

  protected override async read<T>(call: (source: SpecSource) => Promise<T>): Promise<T> {
    return call({ case: 'name', value: this.#name });
  }
}

const SPEC_RULES: Rules<SpecOptions & SelectedOptions> = {
  ...TRANSFER_RULES,
  ...SELECTION_RULES,
  base: rule(
    'a Spec, a handle or null',
    (value) => value === null || value instanceof Spec || value instanceof RemoteBtf,
  ),
  closure: rule('true', (value) => value === true),
};
