import {
  ErrorReason,
  LoadHandleRequestSchema,
  Operation,
  type LoadHandleRequest,
  type LoadHandleResponseSchema,
} from '@btfd/api';
import { BtfReadError, parseHeader, type ByteOrder } from '@btfd/btf';
import { BpfError } from '@btfd/native';
import type { Caller } from '../auth/caller.js';
import { invalidRequest, ServiceError } from '../error/service-error.js';
import { ERRNO_REASONS } from '../error/error-table.js';
import { decodeRequest } from '../base/message.js';
import { Encoded, type Answer, type RpcCall, type WireHandler } from '../grpc/rpc.js';
import { grantedTtlMs, leaseMessage } from './handle-message.js';
import { splitLoad } from './load-wire.js';
import { isPlainBtf, PLAIN_ESTIMATE } from '../base/load-estimate.js';
import { hasNewKinds, HOST_ORDER, layoutOf, type KindLayout } from '../base/kind-layout.js';
import { infoOrClose } from '../kernel/open-object.js';
import type { Limits } from '../config/limits.js';
import type { Services } from './services.js';
import { copyBytes, sha256 } from '../base/slices.js';
import type { SpecSource } from '../source/spec-source.js';
import type { LoadItem, LoadSource } from '../pool/job.js';
import { onlyItem } from '../pool/run.js';
import { tailText } from '../base/text.js';

/** The principal that may load anything that the kernel accepts. */
const ROOT = 'uid:0';
/** The other details of the status share the rest of its 4 KiB. */
const LOG_TAIL_BYTES = 3072;
/** Before Linux 6.4 the kernel refuses smaller buffers. */
const MIN_LOG_BYTES = 128;
/** More than a rejection takes except for the text of its log. */
const REJECTION_BYTES = 256;

/**
 * loadHandle serves LoadHandle. It gets its request undecoded: decoding a MiB of types takes tenths of a second, so a worker
 * does that, like everything else that reads the BTF.
 */
export function loadHandle(
  services: Services,
): WireHandler<typeof LoadHandleResponseSchema, Answer<typeof LoadHandleResponseSchema>> {
  const { loads, workers, access, handles, limits } = services;
  return async (wire, call) => {
    const { signal, caller } = call;
    access.require(Operation.LOAD);
    const { head, types } = splitLoad(wire);
    const request = decodeRequest(LoadHandleRequestSchema, head);
    const source = requireSource(request.source, types);
    checkSize(source.value.length, limits, caller);
    const order = foreignOrder(source);
    const ttlMs = grantedTtlMs(request.ttl, limits);
    handles.checkRoom(caller, source.case === 'rawBtf' ? source.value.length : 0);
    const logSize = request.logSize === 0 ? limits.defaultLogBytes : request.logSize;
    if (logSize > limits.maxLogBytes) {
      throw invalidRequest(
        'log_size',
        `${logSize} bytes are too many; at most ${limits.maxLogBytes} are allowed`,
      );
    }
    try {
      using turn = await loads.turn(source.value.length, signal);
      const { value: bytes, estimate } =
        plain(source, request, limits) ?? (await prepared(source, request, call, services));
      // Only now is the size of BTF that was built known.
      checkSize(bytes.length, limits, caller);
      handles.checkRoom(caller, bytes.length);
      const digest = Buffer.from(await sha256(bytes)).toString('hex');
      call.note({ btfBytes: bytes.length, digest });
      const object = await turn.load(bytes, Math.max(logSize, MIN_LOG_BYTES), estimate);
      const info = infoOrClose(object);
      // Also for a client that is gone by now: the audit log names every object that the kernel had.
      call.note({ btfId: info.id });
      if (signal.aborted) object.close();
      signal.throwIfAborted();
      const handle = leaseMessage(call, handles.grant(caller, object, info, ttlMs), handles.epoch);
      return { result: { case: 'handle', value: handle } };
    } catch (error) {
      const rejection = asRejection(error);
      if (rejection === null) throw error;
      if (!request.reportRejection) throw rejectionError(rejection, order);
      call.note({ rejected: true });
      const { errno, code: errnoName, log } = rejection;
      const maxTextBytes = Math.min(logSize, limits.maxAnswerBytes - REJECTION_BYTES);
      const job = { name: 'rejection', errno, errnoName, log, maxTextBytes } as const;
      return new Encoded(await onlyItem(workers.run(job, caller.principal, signal)));
    }
  };
}

/** The BTF to load, and how long the kernel should take. */
type Prepared = Pick<LoadItem, 'value' | 'estimate'>;

/** Returns a source that needs no worker, because the kernel can check it as it is without a look at its types; else null. */
function plain(source: LoadSource, request: LoadHandleRequest, { maxCheckMs }: Limits): Prepared | null {
  const isPlain = source.case === 'rawBtf' && !request.adaptToKernel && isPlainBtf(source.value);
  if (!isPlain || PLAIN_ESTIMATE.refusedMs > maxCheckMs) return null;
  return { value: source.value, estimate: PLAIN_ESTIMATE };
}

async function prepared(
  source: LoadSource,
  { adaptToKernel }: LoadHandleRequest,
  { caller, signal }: RpcCall,
  { features, limits, specs, workers }: Services,
): Promise<Prepared> {
  // The buffer of the request belongs to grpc-js. A copy can be transferred to the worker.
  const value = await copyBytes(source.value);
  const job = {
    name: 'load',
    source: { case: source.case, value },
    adaptTo: adaptToKernel ? await features.forBtf() : null,
    maxCheckMs: limits.maxCheckMs,
    kernelLayout: await layoutToJudge(source, specs),
  } as const;
  return onlyItem(workers.run(job, caller.principal, signal, [value.buffer]));
}

/** The layout section of the kernel's BTF; empty if the source has no kinds that need it to know their size. */
async function layoutToJudge(source: LoadSource, specs: Pick<SpecSource, 'vmlinux'>): Promise<KindLayout> {
  if (source.case !== 'rawBtf' || !hasNewKinds(source.value)) return new Uint8Array();
  const vmlinux = await specs.vmlinux();
  return vmlinux === null ? new Uint8Array() : layoutOf(vmlinux.bytes);
}

function requireSource(source: LoadHandleRequest['source'], types: Uint8Array | null): LoadSource {
  if (types !== null) return { case: 'types', value: types };
  if (source.case !== 'rawBtf') throw invalidRequest('source', 'is required');
  if (source.value.length === 0) throw invalidRequest('raw_btf', 'is empty');
  return source;
}

function checkSize(length: number, limits: Limits, { principal }: Caller): void {
  if (length > limits.maxBtfBytes) {
    throw new ServiceError(
      ErrorReason.BTF_TOO_LARGE,
      `the BTF has ${length} bytes; the kernel accepts at most ${limits.maxBtfBytes}`,
      {
        metadata: { size: String(length), limit: String(limits.maxBtfBytes) },
        violations: [{ field: 'raw_btf', description: `has more than ${limits.maxBtfBytes} bytes` }],
      },
    );
  }
  if (principal === ROOT || length <= limits.maxBtfBytesOfOthers) return;
  const message = `the BTF has ${length} bytes; callers other than root may load at most ${limits.maxBtfBytesOfOthers}`;
  throw new ServiceError(ErrorReason.QUOTA_EXCEEDED, message, {
    metadata: { quota: 'btf_size', limit: String(limits.maxBtfBytesOfOthers) },
    quota: { subject: `principal:${principal}`, description: message },
  });
}

/**
 * Returns the kernel's rejection, or null if something else went wrong. EINVAL is always a rejection, because access was
 * probed at the start. Any other errno is one if the kernel wrote a log: ENOTSUPP for an unknown version, E2BIG for too
 * many types. A lack of rights, files or memory is not, even with a log: the kernel also writes about valid BTF.
 */
function asRejection(error: unknown): BpfError | null {
  if (!(error instanceof BpfError) || error.command !== 'BPF_BTF_LOAD') return null;
  if (error.code === 'EINVAL') return error;
  const reason = ERRNO_REASONS[error.code] ?? ErrorReason.KERNEL_LACKS_SUPPORT;
  const hasLog = error.log !== null && error.log.text.length > 0;
  return hasLog && reason === ErrorReason.KERNEL_LACKS_SUPPORT ? error : null;
}

/** Returns the byte order of raw BTF that is not that of this machine, or null. The kernel's log does not name it. */
function foreignOrder({ case: kind, value }: LoadSource): ByteOrder | null {
  if (kind !== 'rawBtf') return null;
  try {
    const { byteOrder } = parseHeader(value);
    return byteOrder === HOST_ORDER ? null : byteOrder;
  } catch (error) {
    if (error instanceof BtfReadError) return null;
    throw error;
  }
}

function rejectionError({ errno, code, log }: BpfError, foreign: ByteOrder | null): ServiceError {
  const tail = tailText(log?.text ?? new Uint8Array(), LOG_TAIL_BYTES);
  const lastLine = tail.text.trimEnd().split('\n').at(-1) ?? '';
  const orderWords =
    foreign === null ? '' : `; the BTF is ${foreign}-endian, but the kernel is ${HOST_ORDER}-endian`;
  return new ServiceError(
    ErrorReason.VERIFIER_REJECTED,
    `the kernel refused the BTF with ${code}${lastLine === '' ? '' : `: ${lastLine}`}${orderWords}`,
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
