import type { Socket } from 'node:net';
import type { Server as GrpcServer } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { Limits } from '../config/limits.js';
import { Connections } from './connections.js';
import { TlsServer } from './tls-server.js';
import type { Quota } from '../quota/quota.js';
import { atDate } from '../base/clock.js';
import type { Calls } from '../grpc/interceptor/calls.js';
import { fdOf } from '../grpc/interceptor/internals.js';
import { CurrentPolicy, type Policy } from '../auth/policy.js';
import { FileWatch } from '../base/files.js';
import { readPolicy, type PolicyOptions } from '../auth/policy-options.js';
import { readTlsFiles, type TlsFiles, type TlsKeys } from '../auth/tls-files.js';
import { tlsPeer } from '../auth/tls-peer.js';
import { unixPeer } from '../auth/peer.js';

/** AdmissionOptions are what admission goes by. */
export interface AdmissionOptions {
  readonly policy: PolicyOptions;
  /** TLS for every TCP connection; null for none. */
  readonly tls: TlsFiles | null;
  readonly ownUid: number;
  readonly limits: Pick<Limits, 'handshakeMs' | 'maxHandshakes' | 'unauthenticatedMs' | 'reloadPollMs'>;
  readonly logger: Logger;
}

/** Admission knows who comes in and what they may do, and keeps policy and keys as the files have them. */
export class Admission {
  /** The policy in force. */
  readonly policy: CurrentPolicy;
  private readonly watches: FileWatch[] = [];
  private tlsServer: TlsServer | null = null;
  private connections: Connections | null = null;
  private cancelExpiry = (): void => {};

  private constructor(
    private readonly options: AdmissionOptions,
    policy: Policy,
    private keys: TlsKeys | null,
  ) {
    this.policy = new CurrentPolicy(policy);
    if (keys !== null) this.noteExpiry(keys);
  }

  /**
   * Reads policy and keys, and follows their files.
   *
   * @throws Error if they can't be used.
   */
  static open(options: AdmissionOptions): Admission {
    const { policy, tls, ownUid, limits } = options;
    let admission: Admission | null = null;
    // Before they are read, so that no change is missed.
    const watches = [
      new FileWatch(policyFiles(policy), limits.reloadPollMs, () => admission?.reloadPolicy()),
      new FileWatch(tlsFiles(tls), limits.reloadPollMs, () => admission?.reloadKeys()),
    ];
    try {
      admission = new Admission(options, readPolicy(policy, ownUid), tls === null ? null : readTlsFiles(tls));
      admission.watches.push(...watches);
      return admission;
    } catch (error) {
      for (const watch of watches) watch[Symbol.dispose]();
      throw error;
    }
  }

  /** A function that serves a connection, given the group of the unix socket that it came to; null for TCP. */
  serveWith(
    grpc: GrpcServer,
    calls: Calls,
    connectionQuota: Quota,
  ): (socket: Socket, socketGid: number | null) => void {
    const { limits, logger } = this.options;
    const connections = new Connections(grpc, calls, this.policy, connectionQuota, limits);
    this.connections = connections;
    if (this.keys !== null) {
      this.tlsServer = new TlsServer(this.keys, {
        handshakeMs: limits.handshakeMs,
        maxHandshakes: limits.maxHandshakes,
        onSecure: (socket) => connections.serve(socket, tlsPeer(socket)),
        onFailure: (err, remote) => logger.debug({ err, remote }, 'TLS handshake failed'),
      });
    }
    return (socket, socketGid) => {
      if (socketGid !== null) connections.serve(socket, unixPeer(fdOf(socket), socketGid));
      else if (this.tlsServer !== null) this.tlsServer.accept(socket);
      else connections.serve(socket, { kind: 'anonymous' });
    };
  }

  /** When the certificate of the daemon ends; null where it has none. */
  get certificateEnd(): Date | null {
    return this.keys?.validUntil ?? null;
  }

  /** Connections that were not served so far, by why. */
  get refused(): { readonly cause: 'quota' | 'handshake'; readonly count: number }[] {
    return [
      { cause: 'quota', count: this.connections?.refused ?? 0 },
      { cause: 'handshake', count: this.tlsServer?.failed ?? 0 },
    ];
  }

  /** Reads policy and keys again. Says whether both could be used; the old ones stay where not. */
  reload(): boolean {
    const policyTaken = this.reloadPolicy();
    return this.reloadKeys() && policyTaken;
  }

  /** Stops to look for changes. */
  close(): void {
    this.cancelExpiry();
    for (const watch of this.watches) watch[Symbol.dispose]();
  }

  private reloadPolicy(): boolean {
    return this.reloading('policy', () => {
      this.policy.replace(readPolicy(this.options.policy, this.options.ownUid));
    });
  }

  private reloadKeys(): boolean {
    const { tls } = this.options;
    if (tls === null) return true;
    return this.reloading('keys and certificates', () => {
      const keys = readTlsFiles(tls);
      this.tlsServer?.replaceKeys(keys);
      this.keys = keys;
      this.noteExpiry(keys);
    });
  }

  private reloading(what: string, reload: () => void): boolean {
    const { logger } = this.options;
    try {
      reload();
      logger.info(`${what} read again`);
      return true;
    } catch (err) {
      logger.error({ err }, `${what} cannot be used; the old ones stay in force`);
      return false;
    }
  }

  /** Says so when the certificate ends, be it now: clients will trust it no more. */
  private noteExpiry({ validUntil }: TlsKeys): void {
    this.cancelExpiry();
    this.cancelExpiry = atDate(validUntil.getTime(), () => {
      this.options.logger.warn({ validUntil }, 'the certificate of the daemon has expired');
    });
  }
}

function policyFiles({ file }: PolicyOptions): string[] {
  return file === undefined || file === null ? [] : [file];
}

function tlsFiles(tls: TlsFiles | null): string[] {
  return tls === null ? [] : [tls.cert, tls.key, tls.clientCa];
}
