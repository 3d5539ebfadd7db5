import { create } from '@bufbuild/protobuf';
import {
  type MemberCandidate,
  MemberCandidateSchema,
  type MemberError,
  MemberErrorCode,
  MemberErrorSchema,
  type ResolvedMember,
  ResolvedMemberSchema,
} from './gen/btf/v1/spec_pb.js';

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

/** MemberErrorName is the name of a {@link MemberErrorCode}. */
export type MemberErrorName = Exclude<keyof typeof MemberErrorCode, 'UNSPECIFIED'>;

/** MemberErrorFields are the fields of a {@link MemberError}. */
export interface MemberErrorFields {
  readonly message: string;
  /** `UNKNOWN` if the daemon is older than the code, or has a newer one. */
  readonly code: MemberErrorName | 'UNKNOWN';
  /** Index of the step of the path at which it fails, from 0; -1 for the type where the path starts. */
  readonly step: number;
  /** The types that an `AMBIGUOUS` path may mean. */
  readonly candidates: readonly CandidateFields[];
  /** Number of types that the path may mean: more than `candidates` if not all fit into the message. */
  readonly candidateCount: number;
}

/** CandidateFields are the fields of a {@link MemberCandidate}. */
export interface CandidateFields {
  readonly typeId: number;
  /** The type as C writes it. */
  readonly typeName: string;
  /** Whether it is a type of the base of split BTF. */
  readonly inBase: boolean;
  /** The end of the whole path if it means this type; null if this type does not have it. */
  readonly member: MemberFields | null;
}

/**
 * encodeMemberError returns the message of an error.
 *
 * @throws RangeError if an offset or a size is not an integer.
 */
export function encodeMemberError(error: MemberErrorFields): MemberError {
  const { message, code, step, candidates, candidateCount } = error;
  return create(MemberErrorSchema, {
    message,
    code: code === 'UNKNOWN' ? MemberErrorCode.UNSPECIFIED : MemberErrorCode[code],
    step,
    candidates: candidates.map(encodeCandidate),
    candidateCount,
  });
}

function encodeCandidate({ typeId, typeName, inBase, member }: CandidateFields): MemberCandidate {
  const candidate = create(MemberCandidateSchema, { typeId, typeName, inBase });
  if (member !== null) candidate.member = encodeMember(member);
  return candidate;
}

/** decodeMemberError returns the fields in the message of an error. */
export function decodeMemberError(error: MemberError): MemberErrorFields {
  const { message, code, step, candidates, candidateCount } = error;
  return {
    message,
    code: NAMES[code] ?? 'UNKNOWN',
    step,
    candidates: candidates.map(({ typeId, typeName, inBase, member }) => ({
      typeId,
      typeName,
      inBase,
      member: member === undefined ? null : decodeMember(member),
    })),
    candidateCount,
  };
}

const NAMES: Readonly<Record<number, MemberErrorName | 'UNKNOWN'>> = {
  [MemberErrorCode.UNSPECIFIED]: 'UNKNOWN',
  [MemberErrorCode.NO_SUCH_TYPE]: 'NO_SUCH_TYPE',
  [MemberErrorCode.NO_SUCH_MEMBER]: 'NO_SUCH_MEMBER',
  [MemberErrorCode.NOT_A_STRUCT]: 'NOT_A_STRUCT',
  [MemberErrorCode.AMBIGUOUS]: 'AMBIGUOUS',
  [MemberErrorCode.BAD_PATH]: 'BAD_PATH',
  [MemberErrorCode.UNREADABLE]: 'UNREADABLE',
  [MemberErrorCode.RESULT_TOO_LARGE]: 'RESULT_TOO_LARGE',
} satisfies Record<MemberErrorCode, MemberErrorName | 'UNKNOWN'>;
