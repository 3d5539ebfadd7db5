import { status } from '@grpc/grpc-js';

/** ClientReason describes a reason of the client's own. */
interface ClientReason {
  readonly code: status;
  /** When the client gives it. */
  readonly when: string;
  /** The advice to the caller. */
  readonly next: string;
}

/** CLIENT_REASONS are the reasons for which the client itself fails a call. docs/errors.md shows this table. */
export const CLIENT_REASONS = {
  NO_MATCH: {
    code: status.NOT_FOUND,
    when: 'The predicate of `findHandle` was never true, or a name, glob or id passed to `spec` or `cHeader` selects no type.',
    next: 'Look for something else.',
  },
  HANDLE_CLOSED: {
    code: status.FAILED_PRECONDITION,
    when: 'The handle was used after it was closed, or after its iteration had moved on.',
    next: 'Open another one. `take()` keeps the handle of an iteration.',
  },
  NOT_HOLDABLE: {
    code: status.FAILED_PRECONDITION,
    when: 'The object has no BTF id on the daemon’s kernel, so nothing can hold it. Before Linux 5.11 vmlinux has none.',
    next: 'Read it by its name, for example with `spec`. `serverInfo` says what can be held.',
  },
  CLIENT_CLOSED: {
    code: status.FAILED_PRECONDITION,
    when: 'The client was used after it was closed, or was closed during the call.',
    next: 'Make another client.',
  },
  UNREACHABLE: {
    code: status.UNAVAILABLE,
    when: 'There is no connection to the daemon, or it broke during the call.',
    next: 'Try again later. The client has already retried the calls that can be retried.',
  },
  LEASE_EXPIRED: {
    code: status.UNAVAILABLE,
    when: 'The daemon could not be reached before a lease expired.',
    next: 'Open the object again.',
  },
  TRANSFER_CORRUPT: {
    code: status.DATA_LOSS,
    when: 'The BTF received differs from the size or digest that the daemon announced.',
    next: 'Check the proxies and networks between client and daemon.',
  },
  BASE_MISMATCH: {
    code: status.FAILED_PRECONDITION,
    when: 'The daemon’s vmlinux is not the base of a split BTF.',
    next: 'Pass the base to `spec({ base })`.',
  },
  NATIVE_MISSING: {
    code: status.FAILED_PRECONDITION,
    when: 'A file descriptor was requested with `@btfd/client/fd`, and `@btfd/native` is not installed or cannot be loaded.',
    next: 'Install it with `npm install @btfd/native`.',
  },
  INVALID_RESPONSE: {
    code: status.INTERNAL,
    when: 'The response lacks something that the contract promises.',
    next: 'Check what listens at the address.',
  },
} as const satisfies Readonly<Record<string, ClientReason>>;
