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
export type { PolicyOptions } from './auth/policy-options.js';
export type { TlsFiles } from './auth/tls-files.js';
export { startDaemon, type Daemon, type DaemonOptions } from './daemon.js';
export { addonKernel } from './kernel/addon-kernel.js';
export type { Kernel, KernelObject, ObjectInfo } from './kernel/kernel.js';
export { DEFAULT_LIMITS, type Limits } from './config/limits.js';
export { formatAddress, parseAddress, type Address } from './base/address.js';
