/** BpfUser is a program or a map that was loaded with a BTF object. */
export interface BpfUser {
  readonly id: number;
  readonly name: string;
}

/** MapUser is a map, with the types of its keys and values in the BTF object. 0 for none. */
export interface MapUser extends BpfUser {
  readonly keyTypeId: number;
  readonly valueTypeId: number;
}

/** ProcessUser is a process that holds a file descriptor of a BTF object. */
export interface ProcessUser {
  readonly pid: number;
  /** Its command (comm). */
  readonly command: string;
}

/** ObjectUsers are the users of a BTF object. */
export interface ObjectUsers {
  readonly programs: BpfUser[];
  readonly maps: MapUser[];
  readonly processes: ProcessUser[];
}

/** UserIndex holds the users of each BTF object at one time. */
export class UserIndex {
  readonly #users = new Map<number, ObjectUsers>();

  /** of returns the users of the object with a BTF id. */
  of(btfId: number): ObjectUsers {
    return this.#users.get(btfId) ?? none();
  }

  /** mutable returns the users of an object, to which the caller can add. */
  mutable(btfId: number): ObjectUsers {
    const users = this.of(btfId);
    this.#users.set(btfId, users);
    return users;
  }
}

function none(): ObjectUsers {
  return { programs: [], maps: [], processes: [] };
}
