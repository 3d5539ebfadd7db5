import { create } from '@bufbuild/protobuf';
import { ResolveMembersRequestSchema, type MemberResult as MemberResultMessage } from '@btfd/api';
import type { CallLimits, Connection } from '../call/connection.js';
import { invalidResponse } from '../error/invalid-response.js';
import { methods } from '../call/methods.js';
import type { SpecSource } from './spec-store.js';

/** RemoteDereference is a pointer that must be read to go on along a path. */
export interface RemoteDereference {
  /** Offset of the pointer in bits, from the start of the path's struct or from what the pointer before points to. */
  readonly bitOffset: number;
  readonly typeId: number;
  readonly targetId: number;
  /** Type tags on what is pointed to, such as `rcu` or `percpu`. */
  readonly tags: readonly string[];
}

/** RemoteMember is where a path leads. */
export interface RemoteMember {
  /**
   * Offset in bits from the start of the path's struct or, where pointers are crossed, of what the last of
   * `dereferences` points to.
   */
  readonly bitOffset: number;
  readonly bitSize: number;
  readonly bitfield: boolean;
  readonly typeId: number;
  /** The type that the offset counts from. */
  readonly containerId: number;
  /** The member's type in words of C. */
  readonly typeName: string;
  readonly dereferences: readonly RemoteDereference[];
}

/** MemberResult is what became of a path: one of the two is null. */
export type MemberResult =
  | { readonly path: string; readonly member: RemoteMember; readonly error: null }
  | { readonly path: string; readonly member: null; readonly error: string };

/** fetchMembers asks where members are. */
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
  switch (message?.result.case) {
    case 'error':
      return { path, member: null, error: message.result.value.message };
    case 'member': {
      const { bitOffset, bitSize, bitfield, typeId, containerId, typeName, dereferences } =
        message.result.value;
      const member: RemoteMember = {
        bitOffset: Number(bitOffset),
        bitSize: Number(bitSize),
        bitfield,
        typeId,
        containerId,
        typeName,
        dereferences: dereferences.map((step) => ({
          bitOffset: Number(step.bitOffset),
          typeId: step.typeId,
          targetId: step.targetId,
          tags: step.tags,
        })),
      };
      return { path, member, error: null };
    }
    case undefined:
      break;
  }
  throw invalidResponse(`result for ${JSON.stringify(path)}`);
}
