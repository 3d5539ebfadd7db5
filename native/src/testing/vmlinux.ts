import { btfGetFdById, btfGetNextId, progLoad } from '../index.js';

const SOCKET_FILTER = 1;

/** RETURN_0 is `r0 = 0; exit`. Its opcodes are the same in both byte orders. */
export const RETURN_0 = Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);

/** vmlinuxId returns the BTF id of the kernel's own object. It first makes the kernel parse that object, which gives it an id. */
export function vmlinuxId(): number {
  progLoad(SOCKET_FILTER, RETURN_0, 'GPL');
  for (let id = btfGetNextId(0); id !== null; id = btfGetNextId(id)) {
    using btf = btfGetFdById(id);
    if (btf.info().name === 'vmlinux') return id;
  }
  throw new Error('the kernel was built without BTF');
}
