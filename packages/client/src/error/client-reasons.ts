import { status } from '@grpc/grpc-js';

/** ClientReason is what there is to know of a reason of the client's own. */
interface ClientReason {
  readonly code: status;
  /** When it happens. */
  readonly when: string;
  /** What the caller should do. */
  readonly next: string;
}

/** CLIENT_REASONS are the reasons for which the client itself gives up. docs/errors.md shows them. */
export const CLIENT_REASONS = {
  NO_MATCH: {
    code: status.NOT_FOUND,
    when: 'The predicate of `findHandle` was never true, or no type is what `spec` or `cHeader` was asked for.',
    next: 'Look for something else.',
  },
  HANDLE_CLOSED: {
    code: status.FAILED_PRECONDITION,
    when: 'The handle was used after its end, or after the iteration had moved on.',
    next: 'Open another one; `take()` keeps the handle of an iteration.',
  },
  CLIENT_CLOSED: {
    code: status.FAILED_PRECONDITION,
    when: 'The client was used after its end, or ended during the call.',
    next: 'Make another client.',
  },
  UNREACHABLE: {
    code: status.UNAVAILABLE,
    when: 'There is no connection to the daemon, or it broke during the call.',
    next: 'Try again later. The client has repeated what can be repeated.',
  },
  LEASE_EXPIRED: {
    code: status.UNAVAILABLE,
    when: 'The daemon could not be reached before a lease ran out.',
    next: 'Open the object anew.',
  },
  TRANSFER_CORRUPT: {
    code: status.DATA_LOSS,
    when: 'The BTF received is not what the daemon announced.',
    next: 'Look at what lies between client and daemon.',
  },
  BASE_MISMATCH: {
    code: status.FAILED_PRECONDITION,
    when: 'The daemon’s vmlinux is not the base of a split BTF.',
    next: 'Give the base to `spec({ base })`.',
  },
  INVALID_RESPONSE: {
    code: status.INTERNAL,
    when: 'The daemon’s answer lacks something, or is none.',
    next: 'Look at what answers at the address.',
  },
} as const satisfies Readonly<Record<string, ClientReason>>;
