import { constants } from 'node:os';

import { addon, type FailedInfo, type NativeObjectInfo } from './addon.js';
import { checkInteger, MAX_UINT32 } from './arguments.js';
import { nextId } from './btf-ids.js';
import { BpfError, type BpfCommand } from './errors.js';

/** BpfObjectInfo describes a program or a map. */
export interface BpfObjectInfo {
  readonly id: number;
  /** At most 15 bytes: the kernel cuts off a longer name. Empty if it has no name. */
  readonly name: string;
  /** The id of the BTF object that it was loaded with. 0 if it has none, and before Linux 5.0. */
  readonly btfId: number;
  /** The types of the keys and the values of a map in that BTF. 0 for none, and for programs. */
  readonly btfKeyTypeId: number;
  readonly btfValueTypeId: number;
}

/**
 * progGetNextId returns the smallest id of a program above `after`, or null if there is none. Start with 0. The program
 * may be gone before you use its id. Needs CAP_SYS_ADMIN. Modelled on `BPF_PROG_GET_NEXT_ID` (Linux 4.13) and
 * `ebpf.ProgramGetNextID` of cilium/ebpf.
 *
 * @throws BpfError `EPERM` without CAP_SYS_ADMIN.
 * @throws BpfError `EINVAL` if `after` is 2^31 - 1 or more, which no id reaches.
 * @throws BpfUnavailableError if the addon cannot be loaded.
 * @throws TypeError or RangeError if `after` is not an unsigned 32-bit integer.
 */
export function progGetNextId(after: number): number | null {
  return nextId('BPF_PROG_GET_NEXT_ID', after, (id) => addon().progGetNextId(id));
}

/**
 * mapGetNextId returns the smallest id of a map above `after`, or null if there is none. Start with 0. The map may be
 * gone before you use its id. Needs CAP_SYS_ADMIN. Modelled on `BPF_MAP_GET_NEXT_ID` (Linux 4.13) and
 * `ebpf.MapGetNextID` of cilium/ebpf.
 *
 * @throws BpfError `EPERM` without CAP_SYS_ADMIN.
 * @throws BpfError `EINVAL` if `after` is 2^31 - 1 or more, which no id reaches.
 * @throws BpfUnavailableError if the addon cannot be loaded.
 * @throws TypeError or RangeError if `after` is not an unsigned 32-bit integer.
 */
export function mapGetNextId(after: number): number | null {
  return nextId('BPF_MAP_GET_NEXT_ID', after, (id) => addon().mapGetNextId(id));
}

/**
 * progGetInfoById returns the info of the program with an id, or null if no program has the id. It opens the program
 * (`BPF_PROG_GET_FD_BY_ID`, Linux 4.13), reads its info (`BPF_OBJ_GET_INFO_BY_FD`) and closes it. Needs CAP_SYS_ADMIN.
 *
 * @throws BpfError `EPERM` without CAP_SYS_ADMIN.
 * @throws BpfError `EMFILE` or `ENFILE` if there are no file descriptors left.
 * @throws BpfUnavailableError if the addon cannot be loaded.
 * @throws TypeError or RangeError if `id` is not an unsigned 32-bit integer.
 */
export function progGetInfoById(id: number): BpfObjectInfo | null {
  return infoById('BPF_PROG_GET_FD_BY_ID', id, (checked) => addon().progGetInfoById(checked));
}

/**
 * mapGetInfoById returns the info of the map with an id, or null if no map has the id. It opens the map
 * (`BPF_MAP_GET_FD_BY_ID`, Linux 4.13), reads its info (`BPF_OBJ_GET_INFO_BY_FD`) and closes it. Needs CAP_SYS_ADMIN.
 *
 * @throws BpfError `EPERM` without CAP_SYS_ADMIN.
 * @throws BpfError `EMFILE` or `ENFILE` if there are no file descriptors left.
 * @throws BpfUnavailableError if the addon cannot be loaded.
 * @throws TypeError or RangeError if `id` is not an unsigned 32-bit integer.
 */
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
