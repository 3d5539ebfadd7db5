import type { TypeId } from '../types.js';
import type { DataModel } from './sizeof.js';

/** ResolveOptions are the options of {@link resolveMember}. They bound its work, for callers that are not trusted. */
export interface ResolveOptions extends DataModel {
  /**
   * Is called now and then with the number of types and members that were looked at since the last call. If it throws,
   * the search ends with that error. Default: none.
   */
  readonly onLooks?: ((looks: number) => void) | undefined;
  /** Whether an error suggests names that are near a misspelt one, which compares it with thousands. Default: true. */
  readonly suggest?: boolean | undefined;
}

/** MemberPlace is the place of a member or element. */
export interface MemberPlace {
  /**
   * The type that `bitOffset` counts from: the type where the path starts or, after a pointer, the type that the last
   * pointer points to.
   */
  readonly containerId: TypeId;
  readonly bitOffset: number;
  /** Width in bits; 0 for an array without elements. */
  readonly bitSize: number;
  /** Whether it is a bitfield, which may start and end within a byte. */
  readonly bitfield: boolean;
  /** Its declared type: typedefs and qualifiers are not resolved. */
  readonly typeId: TypeId;
}

/** MemberStep is the result of one step of a path. */
export interface MemberStep extends MemberPlace {
  /** The step as in the path: the name of a member, or an index in brackets. */
  readonly name: string;
  /** Number of pointers that the path has crossed so far. */
  readonly dereferences: number;
  /**
   * For a member, its index in its struct or union, after the indices of the anonymous members that contain it,
   * outermost first. For an element, its index. In a path that crosses no pointer, `0:` and the indices of all steps,
   * joined with colons, are the access string of a CO-RE relocation.
   */
  readonly indices: readonly number[];
}

/** Dereference is a pointer to read before the path continues. */
export interface Dereference extends MemberPlace {
  /**
   * The declared type that the pointer points to. The `containerId` of the next place is the definition of that type.
   */
  readonly targetId: TypeId;
  /** The type tags on the target, such as `rcu`, `percpu` or `user`. Not every pointer can be read directly. */
  readonly tags: readonly string[];
}

/** ResolvedMember is the result of a path: the place of its last step. */
export interface ResolvedMember extends MemberPlace {
  /** The type where the path starts, with typedefs resolved. */
  readonly rootId: TypeId;
  /**
   * The pointers to read on the way, in order. If there are none, `bitOffset` counts from the start of the root.
   * Otherwise read the first pointer at its `bitOffset` in the root, the second at its `bitOffset` from the address in
   * the first, and so on.
   */
  readonly dereferences: readonly Dereference[];
  readonly steps: readonly MemberStep[];
}
