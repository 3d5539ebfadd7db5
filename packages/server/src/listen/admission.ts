import type { Socket } from 'node:net';
import type { Server as GrpcServer } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { Limits } from '../config/limits.js';
import { Connections } from './connections.js';
import { TlsServer } from './tls-server.js';
import type { Quota } from '../quota/quota.js';
import { atDate } from '../base/clock.js';
import { Budget } from '../grpc/gate/budget.js';
import { StreamGate } from '../grpc/gate/stream-gate.js';
import type { Calls } from '../grpc/interceptor/calls.js';
import { fdOf } from '../grpc/interceptor/internals.js';
import { CurrentPolicy, type Policy } from '../auth/policy.js';
import { FileWatch } from '../base/files.js';
import { readPolicy, type PolicyOptions } from '../auth/policy-options.js';
import { readTlsFiles, type TlsFiles, type TlsKeys } from '../auth/tls-files.js';
import { tlsPeer } from '../auth/tls-peer.js';
import { unixPeer } from '../auth/peer.js';

/** Lines about connections that could not be accepted. While there are no file descriptors, none can be. */
const FAILURE_LINES = { burst: 1, perSecond: 0.1 };
/** Lines about connections that were ended. A metric counts all of them. */
const END_LINES = { burst: 10, perSecond: 0.1 };

/** Reload is the last time that files were read which the daemon reads again when they change. */
export interface Reload {
  readonly files: 'policy' | 'certificates';
  /** Whether they could be used. Otherwise those that were read before stay in force. */
  readonly isGood: boolean;
  /** When they were last read and could be used. */
  readonly lastGood: Date;
}

/** AdmissionOptions are the settings of admission. */
export interface AdmissionOptions {
  readonly policy: PolicyOptions;
  /** TLS for every TCP connection; null for none. */
  readonly tls: TlsFiles | null;
  readonly ownUid: number;
  readonly limits: Pick<Limits, 'handshakeMs' | 'maxHandshakes' | 'unauthenticatedMs' | 'reloadPollMs'>;
  readonly logger: Logger;
}

/**
 * Admission identifies the peer of each connection. It keeps the policy and the keys in force, and reads them again when
 * their files change.
 */
export class Admission {
  /** The policy in force. */
  readonly policy: CurrentPolicy;
  readonly #options: AdmissionOptions;
  readonly #watches: readonly FileWatch[];
  #keys: TlsKeys | null;
  #tlsServer: TlsServer | null = null;
  #connections: Connections | null = null;
  readonly #failureLines = new Budget(FAILURE_LINES, () => performance.now());
  readonly #endLines = new Budget(END_LINES, () => performance.now());
  #endedCount = 0;
  #cancelExpiry = (): void => {};
  readonly #reloads = new Map<Reload['files'], Reload>();

  private constructor(
    options: AdmissionOptions,
    policy: Policy,
    keys: TlsKeys | null,
    policyWatch: FileWatch,
    keysWatch: FileWatch,
  ) {
    this.#options = options;
    this.policy = new CurrentPolicy(policy);
    this.#keys = keys;
    this.#noteReload('policy', true);
    if (keys !== null) {
      this.#noteExpiry(keys);
      this.#noteReload('certificates', true);
    }
    this.#watches = [policyWatch, keysWatch];
    this.#watch(policyWatch, async () => this.#reloadPolicy());
    this.#watch(keysWatch, async () => this.#reloadKeys());
  }

  /**
   * Reads the policy and the keys, and watches their files.
   *
   * @throws Error if the policy or the keys cannot be used.
   */
  static async open(options: AdmissionOptions): Promise<Admission> {
    const { policy, tls, ownUid } = options;
    // Before they are read, so that no change is missed.
    const policyWatch = await FileWatch.of(policyFiles(policy));
    const keysWatch = await FileWatch.of(tlsFiles(tls));
    const keys = tls === null ? null : await readTlsFiles(tls);
    return new Admission(options, await readPolicy(policy, ownUid), keys, policyWatch, keysWatch);
  }

  /** Returns a function that serves a connection, given the group of the unix socket that it came to; null for TCP. */
  serveWith(
    grpc: GrpcServer,
    calls: Calls,
    connectionQuota: Quota,
  ): (socket: Socket, socketGid: number | null) => void {
    const { limits, logger } = this.#options;
    const gate = new StreamGate(grpc, {
      calls,
      now: () => performance.now(),
      onEnded: (principal) => this.#noteEnded(principal),
    });
    const connections = new Connections(gate, calls, this.policy, connectionQuota, limits);
    this.#connections = connections;
    if (this.#keys !== null) {
      this.#tlsServer = new TlsServer(this.#keys, {
        handshakeMs: limits.handshakeMs,
        maxHandshakes: limits.maxHandshakes,
        onSecure: (socket) => connections.serve(socket, tlsPeer(socket)),
        onFailure: (err, remote) => logger.debug({ err, remote }, 'TLS handshake failed'),
      });
    }
    return (socket, socketGid) => {
      if (socketGid !== null) connections.serve(socket, unixPeer(fdOf(socket), socketGid));
      else if (this.#tlsServer !== null) this.#tlsServer.accept(socket);
      else connections.serve(socket, { kind: 'anonymous' });
    };
  }

  /** When the daemon's certificate expires; null if it has none. */
  get certificateEnd(): Date | null {
    return this.#keys?.validUntil ?? null;
  }

  /** How many connections were not served, by cause. */
  get refused(): { readonly cause: 'quota' | 'handshake'; readonly count: number }[] {
    return [
      { cause: 'quota', count: this.#connections?.refused ?? 0 },
      { cause: 'handshake', count: this.#tlsServer?.failed ?? 0 },
    ];
  }

  /** The last reads of the policy and, with TLS, of the certificates. The first is that of the start. */
  get reloads(): Iterable<Reload> {
    return this.#reloads.values();
  }

  /** Notes that a connection could not be accepted. */
  readonly onFailure = (err: Error): void => {
    if (!this.#failureLines.spend()) return;
    this.#options.logger.error(
      { err },
      'cannot accept connections: raise the limit of open files if it is EMFILE',
    );
  };

  /** How many connections were ended because their streams were reset or refused. */
  get ended(): number {
    return this.#endedCount;
  }

  /** Reads the policy and the keys again. Returns whether both could be used; otherwise the old ones stay in force. */
  async reload(): Promise<boolean> {
    const policyTaken = await this.#reloadPolicy();
    return (await this.#reloadKeys()) && policyTaken;
  }

  /** Stops looking for changes. */
  close(): void {
    this.#cancelExpiry();
    for (const watch of this.#watches) watch[Symbol.dispose]();
  }

  #watch(watch: FileWatch, reload: () => Promise<boolean>): void {
    const { limits, logger } = this.#options;
    watch.start({
      pollMs: limits.reloadPollMs,
      onChange: () => void reload(),
      onHang: (err) => logger.error({ err }, 'cannot notice changes of files'),
    });
  }

  async #reloadPolicy(): Promise<boolean> {
    return this.#reloading('policy', 'policy', async () => {
      this.policy.replace(await readPolicy(this.#options.policy, this.#options.ownUid));
    });
  }

  async #reloadKeys(): Promise<boolean> {
    const { tls } = this.#options;
    if (tls === null) return true;
    return this.#reloading('certificates', 'keys and certificates', async () => {
      const keys = await readTlsFiles(tls);
      this.#tlsServer?.replaceKeys(keys);
      this.#keys = keys;
      this.#noteExpiry(keys);
    });
  }

  async #reloading(files: Reload['files'], what: string, reload: () => Promise<void>): Promise<boolean> {
    const { logger } = this.#options;
    try {
      await reload();
      this.#noteReload(files, true);
      logger.info(`reloaded the ${what}`);
      return true;
    } catch (err) {
      this.#noteReload(files, false);
      logger.error({ err }, `cannot reload the ${what}: nothing has changed`);
      return false;
    }
  }

  #noteReload(files: Reload['files'], isGood: boolean): void {
    const now = new Date();
    const lastGood = isGood ? now : (this.#reloads.get(files)?.lastGood ?? now);
    this.#reloads.set(files, { files, isGood, lastGood });
  }

  #noteEnded(principal: string): void {
    this.#endedCount += 1;
    if (!this.#endLines.spend()) return;
    this.#options.logger.warn({ principal }, 'ended a connection whose calls were mostly reset or refused');
  }

  /** Logs the expiry of the certificate when it comes, which may be now: clients do not trust it any more. */
  #noteExpiry({ validUntil }: TlsKeys): void {
    this.#cancelExpiry();
    this.#cancelExpiry = atDate(validUntil.getTime(), () => {
      this.#options.logger.warn({ validUntil }, 'the daemon’s certificate has expired');
    });
  }
}

function policyFiles({ file }: PolicyOptions): string[] {
  return file === undefined || file === null ? [] : [file];
}

function tlsFiles(tls: TlsFiles | null): string[] {
  return tls === null ? [] : [tls.cert, tls.key, tls.clientCa];
}
