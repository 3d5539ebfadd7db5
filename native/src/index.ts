/**
 * The bpf(2) calls about BTF, and calls about unix sockets that Node lacks, for Linux: a thin typed layer over the
 * system calls, without policy.
 *
 * ```ts
 * import { btfGetFdById, btfGetNextId } from '@btfd/native';
 *
 * for (let id = btfGetNextId(0); id !== null; id = btfGetNextId(id)) {
 *   const btf = btfGetFdById(id);
 *   try {
 *     console.log(btf.info(), await btf.read());
 *   } finally {
 *     btf.close();
 *   }
 * }
 * ```
 *
 * Every function throws {@link BpfUnavailableError} if the addon cannot be loaded, {@link BpfError} or
 * {@link SystemCallError} if the kernel refuses, and TypeError or RangeError if an argument is invalid. Functions that
 * return a promise reject instead.
 *
 * @module
 */
export {
  mapGetInfoById,
  mapGetNextId,
  progGetInfoById,
  progGetNextId,
  type BpfObjectInfo,
} from './bpf-objects.js';
export { tokenCreate, type BpfToken } from './bpf-token.js';
export { BtfFd, fdStats, type BtfInfo, type FdStats } from './btf-fd.js';
export { btfGetFdById, btfGetNextId } from './btf-ids.js';
export { btfLoad, btfLoadSync } from './btf-load.js';
export { capabilities, type Capabilities } from './capabilities.js';
export {
  BpfError,
  BpfUnavailableError,
  BtfFdClosedError,
  SystemCallError,
  type BpfCommand,
  type VerifierLog,
} from './errors.js';
export { progLoad } from './prog-load.js';
export { readFile } from './read-file.js';
export { trimMemory } from './trim-memory.js';
export { requestFd, type FdReply, type RequestFdOptions } from './request-fd.js';
export {
  hasUnreceived,
  notify,
  socketInfo,
  socketPeer,
  type SocketInfo,
  type SocketPeer,
} from './sockets.js';
