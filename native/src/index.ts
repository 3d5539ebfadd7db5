/**
 * bpf(2) about BTF, and who is at the other end of a unix socket, for Node on Linux: a thin, typed face over the system
 * calls, without policy.
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
 * Each function throws {@link BpfUnavailableError} where the addon can't be loaded, {@link BpfError} where the
 * kernel refuses, and TypeError or RangeError for a bad argument. Functions that give a promise reject instead.
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
export { BtfFd, type BtfInfo } from './btf-fd.js';
export { btfGetFdById, btfGetNextId } from './btf-ids.js';
export { btfLoad } from './btf-load.js';
export { capabilities, type Capabilities } from './capabilities.js';
export {
  BpfError,
  BpfUnavailableError,
  BtfFdClosedError,
  SystemCallError,
  type BpfCommand,
} from './errors.js';
export { fdStats, type FdStats } from './fd-stats.js';
export { notify } from './notify.js';
export { progLoad } from './prog-load.js';
export { socketInfo, type SocketInfo } from './socket-info.js';
export { socketPeer, type SocketPeer } from './socket-peer.js';
export type { VerifierLog } from './verifier-log.js';
