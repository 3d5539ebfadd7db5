import type { ObjectUsers as ObjectUsersMessage } from '@btfd/api';

/** BpfObject is a BPF program or map. */
export interface BpfObject {
  readonly id: number;
  /** At most 15 bytes, perhaps only the beginning of a longer name. */
  readonly name: string;
}

/** BpfMap is a BPF map. */
export interface BpfMap extends BpfObject {
  /** The type id of its keys in the object. 0 if it has none, and null if the daemon is too old to report it. */
  readonly keyTypeId: number | null;
  /** The type id of its values, like `keyTypeId`. */
  readonly valueTypeId: number | null;
}

/** ObjectProcess is a process that has a file descriptor of a BTF object. */
export interface ObjectProcess {
  /** Its pid as the daemon sees it. */
  readonly pid: number;
  /** Its command (comm). */
  readonly command: string;
}

/** ObjectUsers are the users of a BTF object. Modelled on `bpftool btf list`. */
export interface ObjectUsers {
  /** The programs that were loaded with the object. */
  readonly programs: readonly BpfObject[];
  /** The maps that were created with the object. */
  readonly maps: readonly BpfMap[];
  /** The processes that the daemon can see, including itself. */
  readonly processes: readonly ObjectProcess[];
}

/** objectUsersFromMessage returns the users in the message of the same name. */
export function objectUsersFromMessage({ programs, maps, processes }: ObjectUsersMessage): ObjectUsers {
  return {
    programs: programs.map(({ id, name }) => ({ id, name })),
    maps: maps.map(({ id, name, keyTypeId = null, valueTypeId = null }) => ({
      id,
      name,
      keyTypeId,
      valueTypeId,
    })),
    processes: processes.map(({ pid, command }) => ({ pid, command })),
  };
}
