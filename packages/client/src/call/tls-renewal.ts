import { type ChannelCredentials, status } from '@grpc/grpc-js';
import type { BtfError } from '../error/btf-error.js';
import type { FollowedSockets } from './followed-sockets.js';
import { TlsCredentials } from './tls-credentials.js';
import type { TlsKeys } from './tls-keys.js';
import type { TlsSource } from './tls-source.js';

/**
 * TlsRenewal replaces a connection whose certificate has a successor: near the end of the certificate's lifetime when no
 * call is in progress, and at the latest when the daemon refuses it. Until then a connection keeps its certificate.
 */
export class TlsRenewal {
  readonly #source: TlsSource;
  readonly #sockets: FollowedSockets;
  /** The keys of the connection that was closed last, until a call succeeds on another one. */
  #replaced: TlsKeys | null = null;

  private constructor(source: TlsSource, sockets: FollowedSockets) {
    this.#source = source;
    this.#sockets = sockets;
  }

  /** Returns null for credentials that cannot change. */
  static of(credentials: ChannelCredentials, sockets: FollowedSockets): TlsRenewal | null {
    return credentials instanceof TlsCredentials ? new TlsRenewal(credentials.source, sockets) : null;
  }

  /** Whether {@link renew} is worth its cost before a call, when no other is in progress. */
  get isDue(): boolean {
    const { keys } = this.#sockets;
    return keys !== null && Date.now() >= keys.renewAt;
  }

  /** Notes that the daemon accepts the keys of the connection. */
  accepted(): void {
    this.#replaced = null;
  }

  /**
   * Reports whether another connection may help after an error, and then closes this one. A second refusal in a row is
   * final, also if the source has other keys each time.
   */
  async helps({ code }: BtfError): Promise<boolean> {
    if (code !== status.UNAUTHENTICATED) return false;
    const isSecond = this.#replaced !== null && this.#replaced !== this.#sockets.keys;
    return !isSecond && this.renew();
  }

  /** Closes the connection if its keys are not the current ones. Returns whether that is so. */
  async renew(): Promise<boolean> {
    const used = this.#sockets.keys;
    // Without current keys the connection stays as it is.
    const current = await this.#source.current().catch(() => used);
    if (used === null || current === used) return false;
    // Another call may have done so in the meantime.
    if (this.#sockets.keys === used) {
      this.#replaced = used;
      this.#sockets.destroy();
    }
    return true;
  }
}
