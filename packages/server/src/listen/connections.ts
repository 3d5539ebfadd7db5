import type { Socket } from 'node:net';
import { atDate } from '../base/clock.js';
import type { StreamGate } from '../grpc/gate/stream-gate.js';
import type { Connection } from '../grpc/interceptor/admit.js';
import type { Calls } from '../grpc/interceptor/calls.js';
import type { Peer, TlsPeer } from '../auth/peer.js';
import type { CurrentPolicy } from '../auth/policy.js';
import type { Limits } from '../config/limits.js';
import type { Quota } from '../quota/quota.js';
import { NewestSockets } from './newest-sockets.js';

/** HTTP/2's preface and an empty SETTINGS frame, which every client sends first. */
const HELLO_BYTES = 24 + 9;

/** MAX_REFUSED is how many connections beyond the quotas stay open for a moment, so that their clients get an error. */
export const MAX_REFUSED = 32;

/** Connections hands connections to the gate of a gRPC server, each with its peer. */
export class Connections {
  readonly #gate: Pick<StreamGate, 'serve'>;
  readonly #calls: Pick<Calls, 'endExpired'>;
  readonly #policy: CurrentPolicy;
  readonly #quota: Quota;
  readonly #limits: Pick<Limits, 'handshakeMs' | 'unauthenticatedMs'>;
  readonly #refusedSockets = new NewestSockets(MAX_REFUSED);
  #refusedCount = 0;

  constructor(
    gate: Pick<StreamGate, 'serve'>,
    calls: Pick<Calls, 'endExpired'>,
    policy: CurrentPolicy,
    quota: Quota,
    limits: Pick<Limits, 'handshakeMs' | 'unauthenticatedMs'>,
  ) {
    this.#gate = gate;
    this.#calls = calls;
    this.#policy = policy;
    this.#quota = quota;
    this.#limits = limits;
  }

  /** How many connections were refused for a quota. */
  get refused(): number {
    return this.#refusedCount;
  }

  /** Serves a connection. If its peer has too many already, all of its calls are refused. */
  serve(socket: Socket, peer: Peer): void {
    // Connections that prove nothing count as those of one principal.
    const name = this.#policy.now.principalOf(peer) ?? 'nobody';
    const refusal = this.#quota.refusal(name);
    if (refusal !== null) return this.#refuse(socket, { peer, refusal }, name);
    const taken = this.#quota.take(name);
    socket.once('close', () => taken[Symbol.dispose]());
    if (peer.kind === 'tls') this.#endWithCertificate(socket, peer);
    const isUnknown = peer.kind === 'unknown';
    const before = socket.bytesRead;
    const end = (): void => {
      if (isUnknown || socket.bytesRead - before < HELLO_BYTES) socket.destroy();
    };
    // An unknown peer gets an error and is disconnected. So is a client that sends nothing.
    this.#inject(
      socket,
      { peer, refusal: null },
      name,
      end,
      isUnknown ? this.#limits.unauthenticatedMs : this.#limits.handshakeMs,
    );
  }

  /** When its certificate has expired, a peer gets an error and is disconnected, like an unknown one. */
  #endWithCertificate(socket: Socket, peer: TlsPeer): void {
    const end = (): void => {
      this.#calls.endExpired(peer);
      setTimeout(() => socket.destroy(), this.#limits.unauthenticatedMs).unref();
    };
    socket.once('close', atDate(peer.validUntil, end));
  }

  #refuse(socket: Socket, connection: Connection, name: string): void {
    this.#refusedCount += 1;
    this.#refusedSockets.add(socket);
    this.#inject(socket, connection, name, () => socket.destroy(), this.#limits.unauthenticatedMs);
  }

  #inject(socket: Socket, connection: Connection, name: string, onTime: () => void, ms: number): void {
    const timer = setTimeout(onTime, ms).unref();
    socket.once('close', () => clearTimeout(timer));
    this.#gate.serve(socket, connection, name);
  }
}
