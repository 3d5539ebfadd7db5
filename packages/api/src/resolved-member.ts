import { create } from '@bufbuild/protobuf';
import { type ResolvedMember, ResolvedMemberSchema } from './gen/btf/v1/spec_pb.js';

/** MemberFields are the fields of a {@link ResolvedMember}, with numbers in place of 64-bit integers. */
export interface MemberFields {
  /** The type that `bitOffset` counts from. */
  readonly containerId: number;
  readonly bitOffset: number;
  /** Width in bits; 0 for an array without elements. */
  readonly bitSize: number;
  readonly bitfield: boolean;
  /** Its declared type: typedefs and qualifiers are not resolved. */
  readonly typeId: number;
  /** That type as C declares it. */
  readonly typeName: string;
  /** The pointers to read on the way, in order. */
  readonly dereferences: readonly DereferenceFields[];
}

/** DereferenceFields are the fields of a pointer that must be read to continue along a path. */
export interface DereferenceFields {
  /** Its offset in bits from the start of the type in which the path starts or that the pointer before it points to. */
  readonly bitOffset: number;
  /** The pointer's type. */
  readonly typeId: number;
  /** The type that it points to. */
  readonly targetId: number;
  /** The tags between the pointer and its target, such as `rcu`. */
  readonly tags: readonly string[];
}

/**
 * encodeMember returns the message of a member. It leaves out fields that the message does not have.
 *
 * @throws RangeError if an offset or a size is not an integer.
 */
export function encodeMember(member: MemberFields): ResolvedMember {
  const { containerId, bitOffset, bitSize, bitfield, typeId, typeName, dereferences } = member;
  return create(ResolvedMemberSchema, {
    containerId,
    bitOffset: BigInt(bitOffset),
    bitSize: BigInt(bitSize),
    bitfield,
    typeId,
    typeName,
    dereferences: dereferences.map((step) => ({
      bitOffset: BigInt(step.bitOffset),
      typeId: step.typeId,
      targetId: step.targetId,
      tags: [...step.tags],
    })),
  });
}

/** decodeMember returns the fields in the message of a member. */
export function decodeMember(message: ResolvedMember): MemberFields {
  const { containerId, bitOffset, bitSize, bitfield, typeId, typeName, dereferences } = message;
  return {
    containerId,
    bitOffset: Number(bitOffset),
    bitSize: Number(bitSize),
    bitfield,
    typeId,
    typeName,
    dereferences: dereferences.map((step) => ({
      bitOffset: Number(step.bitOffset),
      typeId: step.typeId,
      targetId: step.targetId,
      tags: step.tags,
    })),
  };
}
