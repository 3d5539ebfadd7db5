import type { Handle as HandleMessage } from '@btfd/api';
import { type Duration, durationMs } from './base/duration.js';
import { digestKey, type RawBtf } from './btf/raw-btf.js';
import type { SpecSource } from './btf/spec-store.js';
import type { TransferOptions } from './btf/transfer-progress.js';
import { CALL_RULES, type CallOptions } from './call/call-options.js';
import { checkOptions, type Rules } from './error/argument.js';
import { invalidResponse } from './error/btf-error.js';
import { type HandleInfo, handleInfoFromMessage } from './object/handle-info.js';
import { DETAIL_RULES, detailNumbers, type DetailOptions } from './object/info-detail.js';
import { RemoteBtf } from './remote-btf.js';
import type { Session } from './session.js';

/** HandleState is the current state of a handle in the daemon. */
export interface HandleState {
  readonly info: HandleInfo;
  /** The granted TTL in milliseconds; null if the handle has no lease because an iteration holds it. */
  readonly grantedTtl: number | null;
  /** The remaining TTL in milliseconds; null if the handle has no lease. */
  readonly remainingTtl: number | null;
}

/** tokenOf returns the token of a handle for one use. @throws the reason why the handle cannot be used now. */
export let tokenOf: (object: RemoteObject) => string;

/** RemoteObject is a BTF object that the daemon holds open, under a lease or for an iteration. */
export abstract class RemoteObject extends RemoteBtf {
  /** The object's info when it was last requested: when the object was opened, or by {@link inspect}. */
  get info(): HandleInfo {
    return this.#info;
  }

  #info: HandleInfo;
  /** The digest of the object's BTF, which never changes; null until it is known. */
  #digest: string | null = null;

  static {
    tokenOf = (object) => object.use();
  }

  /** @internal */
  constructor(session: Session, info: HandleInfo) {
    super(session);
    this.#info = info;
  }

  /**
   * inspect asks the kernel and the daemon for the current state of the handle. It is the only use that does not renew
   * a lease. Modelled on `Handle.Info` of cilium/ebpf.
   *
   * @throws BtfError HANDLE_NOT_FOUND, HANDLE_OF_EARLIER_DAEMON, LEASE_EXPIRED or HANDLE_CLOSED if the handle is not
   * open.
   * @throws BtfError DAEMON_LACKS_CAPABILITY if `details` has `users` and the daemon lacks CAP_SYS_ADMIN.
   * @throws BtfError for every call, see {@link BtfError}.
   */
  async inspect(options: CallOptions & DetailOptions = {}): Promise<HandleState> {
    checkOptions(options, INSPECT_RULES);
    const { details = [], signal, timeout = this.session.timeout } = options;
    const { connection } = this.session;
    const { handle } = await this.guard((token) =>
      connection.unary('getHandleInfo', { token, details: detailNumbers(details) }, { signal, timeout }),
    );
    this.#info = infoOf(handle);
    return {
      info: this.#info,
      grantedTtl: msOrNull(handle?.grantedTtl),
      remainingTtl: msOrNull(handle?.remainingTtl),
    };
  }

  /** Returns the token for one use. @throws the reason why the handle cannot be used now. */
  protected abstract use(): string;

  /** Takes note that a use failed. */
  protected abstract failed(error: unknown): void;

  /** Makes a call with the token. */
  protected async guard<T>(call: (token: string) => Promise<T>): Promise<T> {
    const token = this.use();
    try {
      return await call(token);
    } catch (error) {
      this.failed(error);
      throw error;
    }
  }

  protected override async read<T>(call: (source: SpecSource) => Promise<T>): Promise<T> {
    return this.guard((token) => call({ case: 'handle', value: token }));
  }

  protected override async raw(options: TransferOptions): Promise<RawBtf> {
    const { isKernel, name, digest } = this.#info;
    const object = { name: isKernel ? name : '', digest: this.#digest ?? digest };
    const raw = await this.guard((token) => this.session.specs.rawOfHandle(token, object, options));
    this.#digest = digestKey(raw.digest);
    return raw;
  }
}

/** infoOf returns the info that every handle comes with. @throws BtfError INVALID_RESPONSE if it has none. */
export function infoOf(message: HandleMessage | undefined): HandleInfo {
  if (message?.info === undefined) throw invalidResponse('handle');
  return handleInfoFromMessage(message.info);
}

function msOrNull(duration: Duration | undefined): number | null {
  return duration === undefined ? null : durationMs(duration);
}

const INSPECT_RULES: Rules<CallOptions & DetailOptions> = { ...CALL_RULES, ...DETAIL_RULES };
