import { BtfError, status } from '@btfd/client';

/**
 * FailureKind is the kind of failure of a node:
 *
 * - `unreachable`: there is no connection, or no response in time
 * - `refused`: the daemon does not know the caller, or its role is not sufficient
 * - `unsupported`: the daemon is too old, or it or its kernel cannot do it
 * - `failed`: the call failed for another reason
 * - `not-ready`: the source says that the daemon cannot be asked
 * - `starved`: no response in time, while this process did not run for more than a second in all: the node may be well
 * - `late`: the node was not asked before the deadline of the whole
 */
export type FailureKind =
  'unreachable' | 'refused' | 'unsupported' | 'failed' | 'not-ready' | 'starved' | 'late';

/** NodeFailure says why a node has no answer. */
export interface NodeFailure {
  readonly kind: FailureKind;
  readonly error: BtfError;
}

/**
 * NodeOutcome is what became of a node in a question. Each node has exactly one:
 *
 * - `answered`: this node was asked
 * - `inferred`: another node of the same build was asked
 * - `duplicate`: it leads to the same daemon as another node of the fleet
 * - a {@link NodeFailure}
 */
export type NodeOutcome =
  | { readonly kind: 'answered' }
  | { readonly kind: 'inferred'; readonly from: string }
  | { readonly kind: 'duplicate'; readonly of: string }
  | NodeFailure;

/** Reasons that say that a daemon or its kernel cannot do it. Their codes alone do not. */
const UNSUPPORTED: ReadonlySet<unknown> = new Set([
  'DAEMON_LACKS_CAPABILITY',
  'KERNEL_LACKS_SUPPORT',
  'OPERATION_UNAVAILABLE',
]);

/** failureOf returns the failure for the error of a call. */
export function failureOf(error: BtfError): NodeFailure {
  return { kind: kindOf(error), error };
}

/** isAnswer reports whether an outcome is an answer, by the node itself or by another one for it. */
export function isAnswer({ kind }: NodeOutcome): boolean {
  return kind === 'answered' || kind === 'inferred' || kind === 'duplicate';
}

function kindOf({ code, reason }: BtfError): FailureKind {
  if (UNSUPPORTED.has(reason)) return 'unsupported';
  switch (code) {
    case status.UNAVAILABLE:
    case status.DEADLINE_EXCEEDED:
      return 'unreachable';
    case status.UNAUTHENTICATED:
    case status.PERMISSION_DENIED:
      return 'refused';
    case status.UNIMPLEMENTED:
      return 'unsupported';
    default:
      return 'failed';
  }
}

/** lateFailure is the failure of nodes that were not asked in time. */
export function lateFailure(): NodeFailure {
  const message = 'the deadline of the whole passed before the node had answered';
  return {
    kind: 'late',
    error: new BtfError({ code: status.DEADLINE_EXCEEDED, reason: null, message }),
  };
}

/** notReadyFailure is the failure of a node whose source says that it is not ready. */
export function notReadyFailure(): NodeFailure {
  const message = 'the source of the nodes says that the node is not ready';
  return { kind: 'not-ready', error: new BtfError({ code: status.UNAVAILABLE, reason: null, message }) };
}

/** problemFailure is the failure of a node of which the source says why it cannot be asked. */
export function problemFailure(problem: string): NodeFailure {
  return {
    kind: 'failed',
    error: new BtfError({ code: status.FAILED_PRECONDITION, reason: null, message: problem }),
  };
}

/** starvedFailure is the failure of a node that did not respond in time while this process did not run. */
export function starvedFailure({ error }: NodeFailure, ms: number): NodeFailure {
  const message = `${error.rawMessage}, but this process did not run for ${Math.round(ms)} ms of that time`;
  return {
    kind: 'starved',
    error: new BtfError({ code: error.code, reason: error.reason, message, cause: error }),
  };
}
