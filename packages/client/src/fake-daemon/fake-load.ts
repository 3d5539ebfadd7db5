import { endianness } from 'node:os';
import type { LoadHandleRequest } from '@btfd/api';
import { adaptBtf, BtfReadError, type KernelFeatures, Spec, validate } from '@btfd/btf';
import { status } from '@grpc/grpc-js';
import { BtfError } from '../error/btf-error.js';
import { unsupported } from './fake-spec.js';

const HOST_ORDER = endianness() === 'LE' ? 'little' : 'big';
/** The number of EINVAL, the usual errno of the kernel for BTF that it refuses. */
const EINVAL = 22;
/** The kernel's BTF_MAX_SIZE. */
const MAX_BTF_BYTES = 16 * 1024 * 1024;

/** btfOf returns the BTF of a LoadHandle. @throws BtfError BTF_TOO_LARGE; UNIMPLEMENTED for types. */
export function btfOf({ source }: LoadHandleRequest): Uint8Array {
  if (source.case === 'types') throw unsupported('loading types');
  const bytes = source.case === 'rawBtf' ? source.value.slice() : new Uint8Array();
  if (bytes.length <= MAX_BTF_BYTES) return bytes;
  throw new BtfError({
    code: status.INVALID_ARGUMENT,
    reason: 'BTF_TOO_LARGE',
    message: `the BTF has ${bytes.length} bytes; the kernel accepts at most ${MAX_BTF_BYTES}`,
    metadata: { size: String(bytes.length), limit: String(MAX_BTF_BYTES) },
  });
}

/** adapted returns BTF as a kernel with these features accepts it, or as it is if it cannot be read. */
export function adapted(bytes: Uint8Array, features: KernelFeatures): Uint8Array {
  try {
    return adaptBtf(bytes, features);
  } catch (error) {
    if (error instanceof BtfReadError) return bytes;
    throw error;
  }
}

/** verifierLogOf returns the problems that `validate` finds in BTF, as the kernel's log; null if there are none. */
export function verifierLogOf(bytes: Uint8Array, kernelFeatures: KernelFeatures): string | null {
  try {
    const problems = validate(Spec.parse(bytes), { kernelFeatures, byteOrder: HOST_ORDER });
    if (problems.length === 0) return null;
    return problems
      .map(({ typeId, message }) => `${typeId === null ? '' : `[${typeId}] `}${message}\n`)
      .join('');
  } catch (error) {
    if (error instanceof BtfReadError) return `${error.message}\n`;
    throw error;
  }
}

/** rejectionOf returns the message of a rejection. */
export function rejectionOf(log: string) {
  const trueSize = Buffer.byteLength(log) + 1;
  return { errno: EINVAL, errnoName: 'EINVAL', log: { text: log, truncated: false, trueSize } };
}

/** rejectionError returns the error of a rejection. */
export function rejectionError(log: string): BtfError {
  const { errno, errnoName } = rejectionOf(log);
  const lastLine = log.trimEnd().split('\n').at(-1) ?? '';
  return new BtfError({
    code: status.INVALID_ARGUMENT,
    reason: 'VERIFIER_REJECTED',
    message: `the kernel refused the BTF with ${errnoName}: ${lastLine}`,
    metadata: {
      errno: String(errno),
      errno_name: errnoName,
      log: log.slice(-3072),
      log_truncated: String(log.length > 3072),
      log_true_size: String(Buffer.byteLength(log) + 1),
    },
  });
}
