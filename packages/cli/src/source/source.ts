import { BtfFormatError, formatTypeName, resolveMember, type Spec } from '@btfd/btf';
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

/** specMembers finds in a spec where members are, as a daemon does. */
export function specMembers(spec: Spec, paths: readonly string[]): MemberResult[] {
  return paths.map((path) => specMember(spec, path));
}

function specMember(spec: Spec, path: string): MemberResult {
  try {
    const { bitOffset, bitSize, bitfield, typeId, containerId, dereferences } = resolveMember(spec, path);
    const member = {
      bitOffset,
      bitSize,
      bitfield,
      typeId,
      containerId,
      typeName: formatTypeName(spec, typeId),
      dereferences: dereferences.map((step) => ({
        bitOffset: step.bitOffset,
        typeId: step.typeId,
        targetId: step.targetId,
        tags: step.tags,
      })),
    };
    return { path, member, error: null };
  } catch (error) {
    if (!(error instanceof BtfFormatError)) throw error;
    return { path, member: null, error: error.message };
  }
}
