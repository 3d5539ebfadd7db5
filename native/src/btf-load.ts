import { addon } from './addon.js';
import { checkBytes, checkInteger } from './arguments.js';
import { wrapBtfFd, type BtfFd } from './btf-fd.js';
import { BpfError } from './errors.js';
import { verifierLog } from './verifier-log.js';

/** Below this, kernels before 6.4 refuse the log. */
const MIN_LOG_SIZE = 128;
/** Above this, all kernels do (`UINT_MAX >> 2`). */
const MAX_LOG_SIZE = 0x3fff_ffff;

/**
 * btfLoad loads raw BTF into the kernel (`BPF_BTF_LOAD`).
 *
 * Loads of a thread run one at a time, in order, on a native thread of their own. The kernel's check can take
 * seconds and can't be interrupted; a worker that ends doesn't wait for it, a process that ends has to.
 * A pending load keeps the event loop alive. The bytes are copied before this returns.
 *
 * The load runs without a log first. When it fails, and the errno isn't one that the verifier had no part in, it
 * runs once more with a log. The first errno is the one reported; should the second run succeed, so does this.
 *
 * Needs CAP_BPF (CAP_SYS_ADMIN before Linux 5.8).
 *
 * @param logSize - bytes of verifier log to get for a refused BTF: 0 for none, else from 128 to 2^30 - 1
 * @throws BpfError: `EINVAL` and many others, with the log, where the verifier refuses; `E2BIG` over 16 MiB; `EPERM`
 */
export async function btfLoad(bytes: Uint8Array, logSize: number): Promise<BtfFd> {
  checkBytes('bytes', bytes);
  checkInteger('logSize', logSize, 0, MAX_LOG_SIZE);
  if (logSize > 0 && logSize < MIN_LOG_SIZE) {
    throw new RangeError(`logSize must be 0 or at least ${MIN_LOG_SIZE}, is ${logSize}`);
  }
  const native = addon();
  return new Promise((resolve, reject) => {
    native.btfLoad(bytes, logSize, (fd, text, trueSize) => {
      if (typeof fd === 'number') {
        reject(new BpfError('BPF_BTF_LOAD', -fd, null, verifierLog(text, trueSize, logSize)));
      } else {
        resolve(wrapBtfFd(fd));
      }
    });
  });
}
