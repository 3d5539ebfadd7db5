import { addon } from './addon.js';
import { checkInteger, MAX_UINT32 } from './arguments.js';
import { wrapBtfFd, type BtfFd } from './btf-fd.js';
import { BpfError } from './errors.js';
import { nextId } from './next-id.js';

/**
 * btfGetFdById opens the BTF object with an id (`BPF_BTF_GET_FD_BY_ID`). Needs CAP_SYS_ADMIN.
 *
 * @throws BpfError: `ENOENT` where no object has the id, `EPERM`, `EMFILE`
 */
export function btfGetFdById(id: number): BtfFd {
  checkInteger('id', id, 0, MAX_UINT32);
  const fd = addon().btfGetFdById(id);
  if (typeof fd === 'number') throw new BpfError('BPF_BTF_GET_FD_BY_ID', -fd, `id ${id}`, null);
  return wrapBtfFd(fd);
}

/**
 * btfGetNextId is the smallest BTF id above `after` (`BPF_BTF_GET_NEXT_ID`), null where there is none: start with 0.
 * The object may be gone before its id is used. Needs CAP_SYS_ADMIN.
 *
 * @throws BpfError: `EPERM`; `EINVAL` from 2^31 - 1 on, which no id reaches
 */
export function btfGetNextId(after: number): number | null {
  return nextId('BPF_BTF_GET_NEXT_ID', after, (id) => addon().btfGetNextId(id));
}
