import { ErrorReason, Operation, type LoadHandleRequest } from '@btfd/api';
import { BpfError, type VerifierLog } from '@btfd/native';
import { invalidRequest } from '../error/invalid-request.js';
import { ServiceError } from '../error/service-error.js';
import type { Rpc } from '../grpc/rpc.js';
import { handleMessage } from '../handle/handle-message.js';
import { infoOrClose } from '../kernel/object-list.js';
import type { Limits } from '../limits.js';
import type { Services } from '../services.js';
import { grantedTtlMs } from './validate.js';

/** The rest of the 4 KiB of a status is for its other details. */
const LOG_TAIL_BYTES = 3072;

/** loadHandle serves LoadHandle. */
export function loadHandle({ kernel, access, handles, limits }: Services): Rpc<'loadHandle'> {
  return async (request, { signal }) => {
    access.require(Operation.LOAD);
    const rawBtf = requireRawBtf(request, limits);
    const ttlMs = grantedTtlMs(request.ttl, limits);
    const logSize = request.logSize === 0 ? limits.defaultLogBytes : request.logSize;
    if (logSize > limits.maxLogBytes) {
      throw invalidRequest('log_size', `${logSize} bytes are too many; at most ${limits.maxLogBytes} are kept`);
    }
    try {
      const object = await kernel.load(rawBtf, logSize);
      const info = infoOrClose(object);
      if (signal.aborted) {
        object.close();
        signal.throwIfAborted();
      }
      const handle = handleMessage(handles.grant(object, info, ttlMs), handles.epoch);
      return { result: { case: 'handle', value: handle } };
    } catch (error) {
      const rejection = asRejection(error);
      if (rejection === null) throw error;
      if (!request.reportRejection) throw rejectionError(rejection);
      const { errno, code, log } = rejection;
      return { result: { case: 'rejection', value: { errno, errnoName: code, ...logField(log) } } };
    }
  };
}

function requireRawBtf({ source }: LoadHandleRequest, limits: Limits): Uint8Array {
  if (source.case !== 'rawBtf') throw invalidRequest('source', 'is required');
  const { length } = source.value;
  if (length === 0) throw invalidRequest('raw_btf', 'is empty');
  if (length > limits.maxBtfBytes) {
    throw new ServiceError(
      ErrorReason.BTF_TOO_LARGE,
      `the BTF has ${length} bytes; the kernel takes at most ${limits.maxBtfBytes}`,
      {
        metadata: { size: String(length), limit: String(limits.maxBtfBytes) },
        violations: [{ field: 'raw_btf', description: `has more than ${limits.maxBtfBytes} bytes` }],
      },
    );
  }
  return source.value;
}

/**
 * The verifier's refusal, or null where something else went wrong. EINVAL is always the verifier's,
 * since access was probed; other errnos are if it said something (it has ENOTSUPP for a version that
 * it doesn't know, E2BIG for too many types).
 */
function asRejection(error: unknown): BpfError | null {
  if (!(error instanceof BpfError) || error.command !== 'BPF_BTF_LOAD') return null;
  return error.code === 'EINVAL' || (error.log !== null && error.log.text.length > 0) ? error : null;
}

function rejectionError({ errno, code, log }: BpfError): ServiceError {
  const tail = log === null ? '' : decodeText(log.text.subarray(-LOG_TAIL_BYTES));
  const lastLine = tail.trimEnd().split('\n').at(-1) ?? '';
  const cut = log !== null && (log.truncated || log.text.length > LOG_TAIL_BYTES);
  return new ServiceError(
    ErrorReason.VERIFIER_REJECTED,
    `the kernel refused the BTF with ${code}${lastLine === '' ? '' : `: ${lastLine}`}`,
    {
      metadata: {
        errno: String(errno),
        errno_name: code,
        log: tail,
        log_truncated: String(cut),
        ...(log === null || log.trueSize === null ? {} : { log_true_size: String(log.trueSize) }),
      },
    },
  );
}

function logField(log: VerifierLog | null): { log?: { text: string; truncated: boolean; trueSize: number } } {
  if (log === null) return {};
  return { log: { text: decodeText(log.text), truncated: log.truncated, trueSize: log.trueSize ?? 0 } };
}

/** Names in a log are the sender's bytes: what is no UTF-8 becomes U+FFFD. */
function decodeText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
