import { constants } from 'node:os';

import { addon, type FailedInfo, type NativeObjectInfo } from './addon.js';
import { checkInteger, MAX_UINT32 } from './arguments.js';
import { BpfError, type BpfCommand } from './errors.js';
import { nextId } from './next-id.js';

/** BpfObjectInfo is what the kernel tells of a program or a map. */
export interface BpfObjectInfo {
  readonly id: number;
  /** At most 15 bytes, which may be the head of a longer name; empty where none was given. */
  readonly name: string;
  /** The id of the BTF object that it was loaded with; 0 without one, and before Linux 5.0. */
  readonly btfId: number;
}

/**
 * progGetNextId is the smallest id of a program above `after` (`BPF_PROG_GET_NEXT_ID`), null where there is none:
 * start with 0. The program may be gone before its id is used. Needs CAP_SYS_ADMIN.
 *
 * @throws BpfError: `EPERM`; `EINVAL` from 2^31 - 1 on, which no id reaches
 */
export function progGetNextId(after: number): number | null {
  return nextId('BPF_PROG_GET_NEXT_ID', after, (id) => addon().progGetNextId(id));
}

/** mapGetNextId is for maps (`BPF_MAP_GET_NEXT_ID`) what {@link progGetNextId} is for programs. */
export function mapGetNextId(after: number): number | null {
  return nextId('BPF_MAP_GET_NEXT_ID', after, (id) => addon().mapGetNextId(id));
}

/**
 * progGetInfoById is the info of the program with an id (`BPF_PROG_GET_FD_BY_ID`, `BPF_OBJ_GET_INFO_BY_FD`), null where
 * no program has it. The program is let go of again. Needs CAP_SYS_ADMIN.
 *
 * @throws BpfError: `EPERM`, `EMFILE`
 */
export function progGetInfoById(id: number): BpfObjectInfo | null {
  return infoById('BPF_PROG_GET_FD_BY_ID', id, (checked) => addon().progGetInfoById(checked));
}

/** mapGetInfoById is for maps (`BPF_MAP_GET_FD_BY_ID`) what {@link progGetInfoById} is for programs. */
export function mapGetInfoById(id: number): BpfObjectInfo | null {
  return infoById('BPF_MAP_GET_FD_BY_ID', id, (checked) => addon().mapGetInfoById(checked));
}

function infoById(
  getFd: BpfCommand,
  id: number,
  call: (id: number) => NativeObjectInfo | FailedInfo,
): BpfObjectInfo | null {
  checkInteger('id', id, 0, MAX_UINT32);
  const info = call(id);
  if (!('result' in info)) return info;
  const { opened, result } = info;
  if (!opened && result === -constants.errno.ENOENT) return null;
  throw new BpfError(opened ? 'BPF_OBJ_GET_INFO_BY_FD' : getFd, -result, `id ${id}`, null);
}
