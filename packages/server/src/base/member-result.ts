import { create, toBinary } from '@bufbuild/protobuf';
import { encodeMember, type MemberFields, type MemberResult, MemberResultSchema } from '@btfd/api';
import {
  formatTypeName,
  type ResolvedMember,
  resolveMember,
  type ResolveOptions,
  type Spec,
  type TypeId,
} from '@btfd/btf';

/** The size limit of a result, whatever the types are. */
export const MAX_RESULT_BYTES = 1024;
/** A type's name in C can be very long, such as that of a function that takes functions. */
const MAX_TYPE_NAME_BYTES = 256;

/** STEPS_PER_LOOK is the cost of a type or a member that is looked at, with the decoding of its struct. */
export const STEPS_PER_LOOK = 80;
/** The cost of a path, and of each of its characters: a few characters may follow a long chain of types. */
const STEPS_PER_PATH = 2_000;
const STEPS_PER_CHARACTER = 100;
/** Bytes of UTF-8 that a unit of UTF-16 takes at most. */
const MAX_BYTES_PER_UNIT = 3;
/** Characters of a name that is too long: `formatTypeName` stops there. */
const MAX_WRITTEN = 64 * 1024;
/** Characters of a type's name that cost as much as a look. */
const CHARACTERS_PER_LOOK = 4;

/** stepsOfPath returns the cost of a path, without its looks. */
export function stepsOfPath(path: string): number {
  return STEPS_PER_PATH + path.length * STEPS_PER_CHARACTER;
}

/**
 * memberResult resolves a path. The result may be too large: see {@link fits}.
 *
 * @throws MemberPathError if the path cannot be resolved.
 * @throws BtfFormatError if a name cannot be read, or if C cannot write the member's type.
 * @throws the error of `onLooks`.
 */
export function memberResult(spec: Spec, path: string, options: ResolveOptions): MemberResult {
  const value = encodeMember(memberFields(spec, resolveMember(spec, path, options), options));
  return create(MemberResultSchema, { result: { case: 'member', value } });
}

/**
 * memberFields returns the fields of the message about a member.
 *
 * @throws BtfFormatError if C cannot write its type.
 */
export function memberFields(spec: Spec, member: ResolvedMember, options: ResolveOptions): MemberFields {
  return { ...member, typeName: typeNameOf(spec, member.typeId, MAX_TYPE_NAME_BYTES, options) };
}

/**
 * typeNameOf returns the beginning of a type's name.
 *
 * @throws BtfFormatError if C cannot write it.
 */
export function typeNameOf(spec: Spec, id: TypeId, maxBytes: number, { onLooks }: ResolveOptions): string {
  let written = MAX_WRITTEN;
  try {
    const name = formatTypeName(spec, id);
    written = name.length;
    return headOf(name, maxBytes);
  } finally {
    onLooks?.(Math.ceil(written / CHARACTERS_PER_LOOK));
  }
}

/** fits reports whether a result is within the limit: a path may cross many pointers, each with any number of long tags. */
export function fits(result: MemberResult): boolean {
  return (
    mostBytes(result) <= MAX_RESULT_BYTES || toBinary(MemberResultSchema, result).length <= MAX_RESULT_BYTES
  );
}

/** More bytes than the numbers of a message take, with their tags. */
const NUMBERS_BYTES = 64;
/** More bytes than the tag and the length of a string take. */
const STRING_BYTES = 8;

/** Returns a number of bytes that an encoded member does not exceed, without encoding it; Infinity for errors. */
function mostBytes({ result }: MemberResult): number {
  if (result.case !== 'member') return Infinity;
  const { typeName, dereferences } = result.value;
  const mostOf = (text: string): number => STRING_BYTES + MAX_BYTES_PER_UNIT * text.length;
  let bytes = NUMBERS_BYTES + mostOf(typeName);
  for (const { tags } of dereferences) {
    bytes += NUMBERS_BYTES;
    for (const tag of tags) bytes += mostOf(tag);
  }
  return bytes;
}

/** headOf returns the beginning of a text, at most `maxBytes` bytes of UTF-8. */
export function headOf(text: string, maxBytes: number): string {
  if (MAX_BYTES_PER_UNIT * text.length <= maxBytes) return text;
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maxBytes));
  return text.slice(0, read);
}
