import type { TypeId } from '../types.js';

/** MemberPlace is where a member or element lies. */
export interface MemberPlace {
  /**
   * The type from whose start `bitOffset` counts: that in which the path starts or, once a pointer was
   * crossed, the one that the last pointer points to.
   */
  readonly containerId: TypeId;
  readonly bitOffset: number;
  /** Width in bits; 0 for an array without elements. */
  readonly bitSize: number;
  /** Whether it is a bitfield, which may start and end amid a byte. */
  readonly bitfield: boolean;
  /** Its type as it is declared: typedefs and qualifiers are not resolved. */
  readonly typeId: TypeId;
}

/** MemberStep is where one step of a path leads. */
export interface MemberStep extends MemberPlace {
  /** The step as the path has it: a member's name, or an index in brackets. */
  readonly name: string;
  /** How many pointers the path has crossed up to here. */
  readonly dereferences: number;
  /**
   * The index of the member among those of its struct or union, after those of the anonymous members
   * it lies in, outermost first; for an element its index. Joined with colons behind `0:` the indices of
   * all steps are the access string of a CO-RE relocation, where no pointer is crossed.
   */
  readonly indices: readonly number[];
}

/** Dereference is a pointer that must be read to go on. */
export interface Dereference extends MemberPlace {
  /** The type that the pointer points to, as it is declared; `containerId` of what follows is its definition. */
  readonly targetId: TypeId;
  /** The type tags on what is pointed to, such as `rcu`, `percpu` or `user`: not every pointer can be read plainly. */
  readonly tags: readonly string[];
}

/** ResolvedMember is where a path leads: `bitOffset` and all else of its last step. */
export interface ResolvedMember extends MemberPlace {
  /** The type in which the path starts, typedefs resolved. */
  readonly rootId: TypeId;
  /**
   * The pointers to read on the way, in order. When there are none, `bitOffset` counts from the start of the root.
   * Otherwise read the first at its `bitOffset` in the root, the second at its `bitOffset` from the address that
   * gave, and so on.
   */
  readonly dereferences: readonly Dereference[];
  readonly steps: readonly MemberStep[];
}
