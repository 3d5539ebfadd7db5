import { ErrorReason, Operation, type RejectionSchema } from '@btfd/api';
import { BpfError, type VerifierLog } from '@btfd/native';
import { invalidRequest } from '../error/invalid-request.js';
import { ERRNO_REASONS } from '../error/error-table.js';
import { ServiceError } from '../error/service-error.js';
import type { CallRecord } from '../grpc/call-record.js';
import type { Init } from '../grpc/message-init.js';
import type { Rpc } from '../grpc/rpc.js';
import { handleMessage } from '../handle/handle-message.js';
import { btfToLoad } from '../load/btf-to-load.js';
import { infoOrClose } from '../kernel/object-list.js';
import type { Limits } from '../limits.js';
import type { Services } from '../services.js';
import { sha256 } from '../spec/sha256.js';
import { tailText } from './tail-text.js';
import { grantedTtlMs } from './validate.js';

/** The rest of the 4 KiB of a status is for its other details. */
const LOG_TAIL_BYTES = 3072;
/** The kernel refuses smaller buffers (before Linux 6.4). */
const MIN_LOG_BYTES = 128;
/** What a rejection takes besides the text of its log is less. */
const REJECTION_BYTES = 256;

/** loadHandle serves LoadHandle. */
export function loadHandle({ loads, access, features, handles, limits }: Services): Rpc<'loadHandle'> {
  return async (request, { signal, caller, record }) => {
    access.require(Operation.LOAD);
    const rawBtf = checkSize(await btfToLoad(request, features), limits);
    const ttlMs = grantedTtlMs(request.ttl, limits);
    handles.checkRoom(caller, rawBtf.length);
    const logSize = request.logSize === 0 ? limits.defaultLogBytes : request.logSize;
    if (logSize > limits.maxLogBytes) {
      throw invalidRequest(
        'log_size',
        `${logSize} bytes are too many; at most ${limits.maxLogBytes} are kept`,
      );
    }
    const noted = record === undefined ? null : noteBtf(record, rawBtf);
    try {
      const object = await loads.load(rawBtf, Math.max(logSize, MIN_LOG_BYTES), signal);
      const info = infoOrClose(object);
      record?.note({ btfId: info.id });
      if (signal.aborted) {
        object.close();
        signal.throwIfAborted();
      }
      const handle = handleMessage(handles.grant(caller, object, info, ttlMs), handles.epoch);
      return { result: { case: 'handle', value: handle } };
    } catch (error) {
      const rejection = asRejection(error);
      if (rejection === null) throw error;
      if (!request.reportRejection) throw rejectionError(rejection);
      record?.note({ rejected: true });
      const { errno, code, log } = rejection;
      const maxTextBytes = Math.min(logSize, limits.maxAnswerBytes - REJECTION_BYTES);
      const value = { errno, errnoName: code, ...logField(log, maxTextBytes) };
      return { result: { case: 'rejection', value } };
    } finally {
      await noted;
    }
  };
}

/** Tells observers what is loaded, while the kernel checks it. */
async function noteBtf(record: Pick<CallRecord, 'note'>, rawBtf: Uint8Array): Promise<void> {
  const digest = await sha256(new Uint8Array(rawBtf));
  record.note({ btfBytes: rawBtf.length, digest: Buffer.from(digest).toString('hex') });
}

function checkSize(rawBtf: Uint8Array, limits: Limits): Uint8Array {
  const { length } = rawBtf;
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
  return rawBtf;
}

/**
 * The verifier's refusal, or null where something else went wrong. EINVAL is always the verifier's,
 * since access was probed; other errnos are if it said something (it has ENOTSUPP for a version that
 * it doesn't know, E2BIG for too many types). A lack of rights, files or memory isn't, whatever the
 * verifier wrote before: it writes of good BTF too.
 */
function asRejection(error: unknown): BpfError | null {
  if (!(error instanceof BpfError) || error.command !== 'BPF_BTF_LOAD') return null;
  if (error.code === 'EINVAL') return error;
  const reason = ERRNO_REASONS[error.code] ?? ErrorReason.KERNEL_LACKS_SUPPORT;
  const said = error.log !== null && error.log.text.length > 0;
  return said && reason === ErrorReason.KERNEL_LACKS_SUPPORT ? error : null;
}

function rejectionError({ errno, code, log }: BpfError): ServiceError {
  const tail = tailText(log?.text ?? new Uint8Array(), LOG_TAIL_BYTES);
  const lastLine = tail.text.trimEnd().split('\n').at(-1) ?? '';
  return new ServiceError(
    ErrorReason.VERIFIER_REJECTED,
    `the kernel refused the BTF with ${code}${lastLine === '' ? '' : `: ${lastLine}`}`,
    {
      metadata: {
        errno: String(errno),
        errno_name: code,
        log: tail.text,
        log_truncated: String(log?.truncated === true || tail.cut),
        ...(log === null || log.trueSize === null ? {} : { log_true_size: String(log.trueSize) }),
      },
    },
  );
}

function logField(log: VerifierLog | null, maxBytes: number): Pick<Init<typeof RejectionSchema>, 'log'> {
  if (log === null) return {};
  const { text, cut } = tailText(log.text, maxBytes);
  return { log: { text, truncated: log.truncated || cut, trueSize: log.trueSize ?? 0 } };
}
