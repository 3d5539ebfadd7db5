import { create } from '@bufbuild/protobuf';
import { GetHandleInfoRequestSchema, type Handle as HandleMessage } from '@btfd/api';
import { Spec } from '@btfd/btf';
import { aListOf, aString, checkOptions, must, type Rules } from './error/argument.js';
import { CALL_RULES, type CallOptions } from './call/call-options.js';
import { msFromDuration } from './base/duration.js';
import { type HandleInfo, handleInfoFromMessage } from './object/handle-info.js';
import { fetchCHeader } from './btf/c-header.js';
import { DETAIL_RULES, detailNumbers, type DetailOptions } from './object/info-detail.js';
import { invalidResponse } from './error/invalid-response.js';
import { fetchMembers, type MemberResult } from './btf/member-result.js';
import { methods } from './call/methods.js';
import { fetchSelectedTypes, type SelectedTypes } from './btf/selected-types.js';
import { allFound, checkSelection, SELECTION_RULES, selectsAll, type Selection } from './btf/selection.js';
import { digestKey, type RawBtf } from './btf/raw-btf.js';
import type { Session } from './session.js';
import { TRANSFER_RULES, type TransferOptions } from './btf/transfer-progress.js';

/** SpecOptions are the options of asking for a {@link Spec}. */
export interface SpecOptions extends TransferOptions {
  /**
   * What split BTF, such as a module's, continues: a Spec, or a handle whose Spec it is; null where there
   * is none, so that split BTF fails with MISSING_BASE. Of no effect on BTF that is not split. Default: the
   * vmlinux of the daemon's kernel, which is transferred once and then shared.
   */
  readonly base?: Spec | RemoteObject | null | undefined;
}

/** SelectedOptions select types for {@link RemoteObject.spec}. */
export interface SelectedOptions extends Selection {
  /** What the selected types refer to always comes too, since a Spec without it is none. */
  readonly closure?: true | undefined;
}

/** HandleState is what the daemon says of a handle now. */
export interface HandleState {
  readonly info: HandleInfo;
  /** The TTL granted, in milliseconds; null where the handle has no lease because an iteration holds it. */
  readonly grantedTtl: number | null;
  /** What is left of it, in milliseconds. */
  readonly remainingTtl: number | null;
}

/** RemoteObject is a BTF object that the daemon holds open, by a lease or for an iteration. */
export abstract class RemoteObject {
  /** What the object was when it was last asked about: when it was opened, or by {@link inspect}. */
  get info(): HandleInfo {
    return this.#info;
  }

  protected readonly session: Session;
  #info: HandleInfo;
  /** Of the object's BTF, which never changes; null until it was told. */
  #digest: string | null = null;

  /** @internal */
  constructor(session: Session, info: HandleInfo) {
    this.session = session;
    this.#info = info;
  }

  /**
   * spec answers the object's type information. The BTF is transferred once for each digest and kept, up
   * to the client's `specCacheBytes`; of BTF that is not split, everyone gets the same Spec.
   *
   * With a selection it is that of {@link selectTypes}, and every name and id must be there.
   *
   * @throws BtfError MISSING_BASE, BASE_MISMATCH, TRANSFER_CORRUPT; NO_MATCH for what was selected and is not there;
   * the error of `@btfd/btf` for BTF that cannot be parsed.
   */
  async spec(options: SpecOptions & SelectedOptions = {}): Promise<Spec> {
    checkOptions(options, SELECTED_SPEC_RULES);
    const { base, signal, onProgress, closure, ...selection } = options;
    const transfer = { signal, onProgress };
    const { specs } = this.session;
    if (closure !== undefined || !selectsAll(selection)) {
      const { spec, notFound } = await this.selectTypes(selection, transfer);
      return allFound(spec, notFound);
    }
    const raw = await this.#raw(transfer);
    return specs.parse(raw, base instanceof RemoteObject ? await base.spec(transfer) : base, transfer);
  }

  /** rawBtf answers the object's BTF as the kernel holds it: a copy, for the caller to keep. */
  async rawBtf(options: TransferOptions = {}): Promise<Uint8Array> {
    checkOptions(options, TRANSFER_RULES);
    return (await this.#raw(options)).bytes.slice();
  }

  /**
   * selectTypes answers some of the object's types, with all that they refer to, as a Spec of their own. Its ids are
   * its own too. Types of split BTF and of its base, the vmlinux of the daemon's kernel, come together.
   *
   * ```ts
   * const { spec, notFound } = await handle.selectTypes({ names: ['task_struct'] });
   * ```
   */
  async selectTypes(selection: Selection, options: TransferOptions = {}): Promise<SelectedTypes> {
    checkSelection(selection);
    checkOptions(options, TRANSFER_RULES);
    const { connection } = this.session;
    return this.guard((token) =>
      fetchSelectedTypes(connection, { case: 'handle', value: token }, selection, options),
    );
  }

  /**
   * cHeader answers the object's types as a C header, as `bpftool btf dump format c` prints it; or the selected
   * types with all that they need.
   *
   * @throws BtfError OUTPUT_TOO_LARGE; NO_MATCH for what was selected and is not there.
   */
  async cHeader(selection: Selection = {}, options: TransferOptions = {}): Promise<string> {
    checkSelection(selection);
    checkOptions(options, TRANSFER_RULES);
    const { connection } = this.session;
    return this.guard((token) =>
      fetchCHeader(connection, { case: 'handle', value: token }, selection, options),
    );
  }

  /**
   * resolveMembers answers where members are: offset, size and type of `task_struct.mm.pgd`. At most 1000 paths; a
   * path that leads nowhere has its own error.
   */
  async resolveMembers(paths: readonly string[], options: CallOptions = {}): Promise<MemberResult[]> {
    aListOf(aString)('paths', paths);
    checkOptions(options, CALL_RULES);
    const { signal, timeout = this.session.timeout } = options;
    const { connection } = this.session;
    return this.guard((token) =>
      fetchMembers(connection, { case: 'handle', value: token }, paths, { signal, timeout }),
    );
  }

  /** inspect asks the kernel and the daemon what they say now. It is the only use that does not renew a lease. */
  async inspect(options: CallOptions & DetailOptions = {}): Promise<HandleState> {
    checkOptions(options, INSPECT_RULES);
    const { details = [], signal, timeout = this.session.timeout } = options;
    const { connection } = this.session;
    const { handle } = await this.guard((token) =>
      connection.unary(
        methods.getHandleInfo,
        create(GetHandleInfoRequestSchema, { token, details: detailNumbers(details) }),
        { signal, timeout },
      ),
    );
    this.#info = infoOf(handle);
    return {
      info: this.#info,
      grantedTtl: handle?.grantedTtl === undefined ? null : msFromDuration(handle.grantedTtl),
      remainingTtl: handle?.remainingTtl === undefined ? null : msFromDuration(handle.remainingTtl),
    };
  }

  /** The token, for one use. @throws what is wrong with using the handle now. */
  protected abstract use(): string;

  /** Told of the failure of a use. */
  protected abstract failed(error: unknown): void;

  protected async guard<T>(call: (token: string) => Promise<T>): Promise<T> {
    const token = this.use();
    try {
      return await call(token);
    } catch (error) {
      this.failed(error);
      throw error;
    }
  }

  async #raw(options: TransferOptions): Promise<RawBtf> {
    const { isKernel, name, digest } = this.#info;
    const object = { name: isKernel ? name : '', digest: this.#digest ?? digest };
    const raw = await this.guard((token) => this.session.specs.rawOfHandle(token, object, options));
    this.#digest = digestKey(raw.digest);
    return raw;
  }
}

/** infoOf is the info that every handle comes with. */
export function infoOf(message: HandleMessage | undefined): HandleInfo {
  if (message?.info === undefined) throw invalidResponse('handle');
  return handleInfoFromMessage(message.info);
}

/** SPEC_RULES are the rules of {@link SpecOptions}. */
export const SPEC_RULES: Rules<SpecOptions> = {
  ...TRANSFER_RULES,
  base: must(
    'a Spec, a handle or null',
    (value) => value === null || value instanceof Spec || value instanceof RemoteObject,
  ),
};

const SELECTED_SPEC_RULES: Rules<SpecOptions & SelectedOptions> = {
  ...SPEC_RULES,
  ...SELECTION_RULES,
  closure: must('true', (value) => value === true),
};

const INSPECT_RULES: Rules<CallOptions & DetailOptions> = { ...CALL_RULES, ...DETAIL_RULES };
