/**
 * The daemon of btfd, for programs that run it in their own process. Most users run the program `btfd` instead.
 *
 * ```ts
 * import { addonKernel, parseAddress, startDaemon } from '@btfd/server';
 * import { pino } from 'pino';
 *
 * const daemon = await startDaemon({
 *   addresses: [parseAddress('unix:/run/btfd/btfd.sock')],
 *   btfDir: null,
 *   kernel: addonKernel,
 *   logger: pino(),
 * });
 * await daemon.stop();
 * ```
 *
 * @module
 */
import type { Daemon, DaemonOptions } from './daemon.js';
import { startDaemon as start } from './start-daemon.js';

export type { PolicyOptions } from './auth/policy-options.js';
export type { TlsFiles } from './auth/tls-files.js';
export type { Daemon, DaemonOptions, DaemonUsage } from './daemon.js';
export { addonKernel } from './kernel/addon-kernel.js';
export type { Kernel, KernelObject, ObjectInfo } from './kernel/kernel.js';
export { DEFAULT_LIMITS, type Limits } from './config/limits.js';
export { formatAddress, parseAddress, type Address } from './base/address.js';

/**
 * startDaemon starts a daemon in this process, and returns it once it listens. If it fails, nothing is left open. The
 * kernel may need CAP_BPF to load BTF, and CAP_SYS_ADMIN to list and open objects by id; the daemon serves what it can.
 *
 * @throws Error if an address may not be used, for example TCP without TLS that is not loopback.
 * @throws Error if it cannot listen on an address, or if the policy or the files of TLS cannot be used.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  return start(options);
}
