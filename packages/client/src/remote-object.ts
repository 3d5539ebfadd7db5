import { create } from '@bufbuild/protobuf';
import { GetHandleInfoRequestSchema, type Handle as HandleMessage } from '@btfd/api';
import type { Spec } from '@btfd/btf';
import type { CallOptions } from './call-options.js';
import { msFromDuration } from './duration.js';
import { type HandleInfo, handleInfoFromMessage } from './handle-info.js';
import { invalidResponse } from './invalid-response.js';
import { methods } from './methods.js';
import type { Session } from './session.js';

/** SpecOptions are the options of asking for a {@link Spec}. */
export interface SpecOptions {
  /**
   * What split BTF, such as a module's, continues: a Spec, or a handle whose Spec it is; null where there
   * is none, so that split BTF fails with MISSING_BASE. Of no effect on BTF that is not split. Default: the
   * vmlinux of the daemon's kernel, which is transferred once and then shared.
   */
  readonly base?: Spec | RemoteObject | null | undefined;
  /** Aborting it cancels the transfer, unless others wait for the same one. */
  readonly signal?: AbortSignal | undefined;
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

  /** @internal */
  constructor(session: Session, info: HandleInfo) {
    this.session = session;
    this.#info = info;
  }

  /**
   * spec answers the object's type information. The BTF is transferred once for each digest and kept, up
   * to 64 MiB for each client; of BTF that is not split, everyone gets the same Spec.
   *
   * @throws BtfError MISSING_BASE, BASE_MISMATCH, TRANSFER_CORRUPT; the error of `@btfd/btf` for BTF that
   * cannot be parsed.
   */
  async spec({ base, signal }: SpecOptions = {}): Promise<Spec> {
    const { specs } = this.session;
    const raw = await this.guard((token) => specs.rawOfHandle(token, this.kernelName, signal));
    return specs.parse(raw, base instanceof RemoteObject ? await base.spec({ signal }) : base, signal);
  }

  /** rawBtf answers the object's BTF as the kernel holds it: a copy, for the caller to keep. */
  async rawBtf({ signal }: Pick<SpecOptions, 'signal'> = {}): Promise<Uint8Array> {
    const raw = await this.guard((token) => this.session.specs.rawOfHandle(token, this.kernelName, signal));
    return raw.bytes.slice();
  }

  /** inspect asks the kernel and the daemon what they say now. It is the only use that does not renew a lease. */
  async inspect({ signal, timeout = this.session.timeout }: CallOptions = {}): Promise<HandleState> {
    const { connection } = this.session;
    const { handle } = await this.guard((token) =>
      connection.unary(methods.getHandleInfo, create(GetHandleInfoRequestSchema, { token }), {
        signal,
        timeout,
      }),
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

  private get kernelName(): string {
    return this.info.isKernel ? this.info.name : '';
  }
}

/** infoOf is the info that every handle comes with. */
export function infoOf(message: HandleMessage | undefined): HandleInfo {
  if (message?.info === undefined) throw invalidResponse('handle');
  return handleInfoFromMessage(message.info);
}
