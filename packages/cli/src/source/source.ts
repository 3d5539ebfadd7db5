import type { Spec } from '@btfd/btf';
import type { MemberResult } from '@btfd/client';

/** Source is where types come from: an object of a node's kernel, or a file. */
export interface Source {
  /** What it is called in output. */
  readonly label: string;
  /** Its types. A split BTF has its base. */
  spec(): Promise<Spec>;
  /** Where members are; a path that leads nowhere has its own error. */
  members(paths: readonly string[]): Promise<MemberResult[]>;
}
