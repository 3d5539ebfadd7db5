import { addon, type FailedLoad } from './addon.js';
import { checkBytes, checkInteger } from './arguments.js';
import { tokenFd, type BpfToken } from './bpf-token.js';
import { wrapBtfFd, type BtfFd } from './btf-fd.js';
import { BpfError, type VerifierLog } from './errors.js';

/** Kernels before 6.4 refuse a smaller log. */
const MIN_LOG_SIZE = 128;
/** All kernels refuse a larger log (`UINT_MAX >> 2`). */
const MAX_LOG_SIZE = 0x3fff_ffff;

/**
 * btfLoad loads raw BTF into the kernel, and resolves to the loaded object. Needs CAP_BPF (CAP_SYS_ADMIN before Linux
 * 5.8), in the initial user namespace or in that of a token. Modelled on `BPF_BTF_LOAD` (Linux 4.18) and
 * `btf.NewHandleFromRawBTF` of cilium/ebpf.
 *
 * The loads of a thread run one at a time, in order, on their own native thread. The kernel's check can take seconds
 * and cannot be interrupted. A worker that ends does not wait for it, but a process that ends has to. A pending load
 * keeps the event loop alive. The bytes are copied before this function returns.
 *
 * The first load runs without a log. If it fails with an errno that the check of the BTF may have caused, a second load runs
 * with a log, and the first errno is reported. If the second load succeeds, so does this function.
 *
 * @param logSize - bytes of log to get for a refused BTF: 0 for none, or 128 to 2^30 - 1
 * @param token - the BPF token to use (Linux 6.9), which must stay open until the load has ended; null for none
 * @throws BpfError `EINVAL` and many others, with the log, if the kernel refuses the BTF.
 * @throws BpfError `E2BIG` if the BTF is larger than 16 MiB.
 * @throws BpfError `EPERM` without the capability, and if the token does not have the command.
 * @throws BpfError `EMFILE` or `ENFILE` if there are no file descriptors left.
 * @throws BpfError `ENOMEM` if there is no memory, or no thread for the first load.
 * @throws BpfUnavailableError if the addon cannot be loaded.
 * @throws TypeError or RangeError if an argument is invalid.
 */
export async function btfLoad(
  bytes: Uint8Array,
  logSize: number,
  token: BpfToken | null = null,
): Promise<BtfFd> {
  checkLoad(bytes, logSize);
  const fdOfToken = tokenFd(token);
  const native = addon();
  return new Promise((resolve, reject) => {
    native.btfLoad(bytes, logSize, fdOfToken, (outcome) => {
      if (typeof outcome === 'number') resolve(wrapBtfFd(outcome));
      else reject(loadError(outcome, logSize));
    });
  });
}

/**
 * btfLoadSync is {@link btfLoad} on the calling thread, for BTF that the kernel is known to check in microseconds. It
 * returns the loaded object. For small BTF it takes less than half of the processor time, because nothing changes threads.
 * It does not wait for earlier calls of `btfLoad`.
 *
 * Never pass BTF from others that was not examined: a kilobyte can keep the kernel busy for minutes, and nothing can
 * interrupt it.
 *
 * @param logSize - bytes of log to get for a refused BTF: 0 for none, or 128 to 2^30 - 1
 * @param token - the BPF token to use (Linux 6.9); null for none
 * @throws BpfError as btfLoad.
 * @throws BpfUnavailableError if the addon cannot be loaded.
 * @throws TypeError or RangeError if an argument is invalid.
 */
export function btfLoadSync(bytes: Uint8Array, logSize: number, token: BpfToken | null = null): BtfFd {
  checkLoad(bytes, logSize);
  const outcome = addon().btfLoadSync(bytes, logSize, tokenFd(token));
  if (typeof outcome !== 'number') throw loadError(outcome, logSize);
  return wrapBtfFd(outcome);
}

function checkLoad(bytes: Uint8Array, logSize: number): void {
  checkBytes('bytes', bytes);
  checkInteger('logSize', logSize, 0, MAX_LOG_SIZE);
  if (logSize > 0 && logSize < MIN_LOG_SIZE) {
    throw new RangeError(`logSize must be 0 or at least ${MIN_LOG_SIZE}, not ${logSize}`);
  }
}

function loadError({ errno, log, logTrueSize }: FailedLoad, logSize: number): BpfError {
  return new BpfError('BPF_BTF_LOAD', errno, null, verifierLog(log, logTrueSize, logSize));
}

/** @param trueSize - 0 if the kernel did not report it */
export function verifierLog(text: Uint8Array | null, trueSize: number, logSize: number): VerifierLog | null {
  if (text === null || (text.length === 0 && trueSize === 0)) return null;
  // Without a true size, only a full buffer (its last byte is a NUL) shows that the log was cut off.
  if (trueSize === 0) return { text, truncated: text.length >= logSize - 1, trueSize: null };
  return { text, truncated: trueSize > logSize, trueSize };
}
