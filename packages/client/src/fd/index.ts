/**
 * Real file descriptors of handles, for programs on the daemon's machine. It needs the package `@btfd/native`, which
 * `@btfd/client` does not install, and a daemon with `--fd-socket`.
 *
 * ```ts
 * import { BtfClient } from '@btfd/client';
 * import { handleFd } from '@btfd/client/fd';
 *
 * await using client = new BtfClient('unix:/run/btfd/btfd.sock');
 * await using handle = await client.findHandle((info) => info.isVmlinux);
 * using btf = await handleFd(handle, '/run/btfd/fd.sock');
 * console.log(btf.fd);
 * ```
 *
 * @module fd
 */
export { handleFd } from './handle-fd.js';
