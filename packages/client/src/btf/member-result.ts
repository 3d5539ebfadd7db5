import { create } from '@bufbuild/protobuf';
import {
  decodeMember,
  type MemberResult as MemberResultMessage,
  ResolveMembersRequestSchema,
} from '@btfd/api';
import type { Dereference, MemberPlace } from '@btfd/btf';
import { type CallLimits, type Connection, methods } from '../call/connection.js';
import { invalidResponse } from '../error/btf-error.js';
import type { SpecSource } from './spec-store.js';

/**
 * RemoteDereference is a pointer that must be read to continue along a path: the part of a `Dereference` of `@btfd/btf`
 * that the daemon returns.
 */
export type RemoteDereference = Pick<Dereference, 'bitOffset' | 'typeId' | 'targetId' | 'tags'>;

/**
 * RemoteMember is the member that a path names: the part of a `ResolvedMember` of `@btfd/btf` that the daemon returns, and the name
 * of its type.
 */
export interface RemoteMember extends MemberPlace {
  /** The member's type as C declares it. */
  readonly typeName: string;
  /** The pointers to read on the way, in order, as in `ResolvedMember`. */
  readonly dereferences: readonly RemoteDereference[];
}

/** MemberResult is the result for one path. Either `member` or `error` is null. */
export type MemberResult =
  | { readonly path: string; readonly member: RemoteMember; readonly error: null }
  | { readonly path: string; readonly member: null; readonly error: string };

/** fetchMembers returns where members are, one result per path. */
export async function fetchMembers(
  connection: Connection,
  source: SpecSource,
  paths: readonly string[],
  limits: CallLimits,
): Promise<MemberResult[]> {
  const request = create(ResolveMembersRequestSchema, { source, paths: [...paths] });
  const { results } = await connection.unary(methods.resolveMembers, request, limits);
  return paths.map((path, index) => memberResult(path, results[index]));
}

function memberResult(path: string, message: MemberResultMessage | undefined): MemberResult {
  const { case: kind, value } = message?.result ?? { case: undefined };
  switch (kind) {
    case 'error':
      return { path, member: null, error: value.message };
    case 'member':
      return { path, member: decodeMember(value), error: null };
    case undefined:
      throw invalidResponse(`result for ${JSON.stringify(path)}`);
  }
}
