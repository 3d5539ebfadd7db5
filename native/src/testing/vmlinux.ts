import { btfGetFdById, btfGetNextId, progLoad } from '../index.js';

const SOCKET_FILTER = 1;

/** RETURN_0 is `r0 = 0; exit`. Its opcodes are the same in both byte orders. */
export const RETURN_0 = Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);

/** vmlinuxId is the BTF id of the kernel's own object, which has none before something makes the kernel parse it. */
export function vmlinuxId(): number {
  progLoad(SOCKET_FILTER, RETURN_0, 'GPL');
  for (let id = btfGetNextId(0); id !== null; id = btfGetNextId(id)) {
    using btf = btfGetFdById(id);
    if (btf.info().name === 'vmlinux') return id;
  }
  throw new Error('the kernel has no BTF of its own');
}
