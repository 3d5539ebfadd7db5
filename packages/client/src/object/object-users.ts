import type { ObjectUsers as ObjectUsersMessage } from '@btfd/api';

/** BpfObject is a program or a map. */
export interface BpfObject {
  readonly id: number;
  /** At most 15 bytes, which may be the head of a longer name. */
  readonly name: string;
}

/** ObjectProcess is a process that holds a file descriptor of a BTF object. */
export interface ObjectProcess {
  /** Its pid as the daemon sees it. */
  readonly pid: number;
  /** Its command (comm). */
  readonly command: string;
}

/** ObjectUsers are the users of a BTF object, as `bpftool btf list` shows them. */
export interface ObjectUsers {
  /** Programs that were loaded with the object. */
  readonly programs: readonly BpfObject[];
  /** Maps that were made with the object. */
  readonly maps: readonly BpfObject[];
  /** Processes that the daemon can see, itself included. */
  readonly processes: readonly ObjectProcess[];
}

/** objectUsersFromMessage reads the message of the same name. */
export function objectUsersFromMessage({ programs, maps, processes }: ObjectUsersMessage): ObjectUsers {
  return {
    programs: programs.map(({ id, name }) => ({ id, name })),
    maps: maps.map(({ id, name }) => ({ id, name })),
    processes: processes.map(({ pid, command }) => ({ pid, command })),
  };
}
