import { FieldReader } from './field-reader.js';
import type {
  HandleInfo,
  InfoDetail,
  IterateHandlesResponse,
  ObjectUsers,
  ObjectUsers_BpfObject,
  ObjectUsers_Process,
  Origin,
} from './gen/btf/v1/handle_pb.js';

/** ListRequest has the fields of an IterateHandlesRequest that holds no objects. */
export interface ListRequest {
  readonly afterId: number;
  readonly origins: readonly Origin[];
  readonly nameGlobs: readonly string[];
  readonly details: readonly InfoDetail[];
}

const encoder = /* @__PURE__ */ new TextEncoder();

/** encodeListRequest returns the bytes of an IterateHandlesRequest, as protobuf-es makes them. */
export function encodeListRequest({ afterId, origins, nameGlobs, details }: ListRequest): Uint8Array {
  const bytes: number[] = [];
  if (afterId !== 0) bytes.push(1 << 3, ...varint(afterId));
  if (origins.length > 0) bytes.push(...delimited(3, origins.flatMap(varint)));
  for (const glob of nameGlobs) bytes.push(...delimited(4, [...encoder.encode(glob)]));
  if (details.length > 0) bytes.push(...delimited(5, details.flatMap(varint)));
  return Uint8Array.from(bytes);
}

/**
 * decodeListed returns the IterateHandlesResponse in bytes, without the handle, which a list does not have.
 *
 * @throws RangeError for bytes that are not a message.
 */
export function decodeListed(bytes: Uint8Array): IterateHandlesResponse {
  const response = new FieldReader(bytes);
  return {
    $typeName: 'btf.v1.IterateHandlesResponse',
    ...(response.has(1) ? { info: infoOf(response.message(1)) } : {}),
  };
}

function infoOf(fields: FieldReader): HandleInfo {
  return {
    $typeName: 'btf.v1.HandleInfo',
    id: fields.unsigned(1),
    name: fields.text(2),
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the enum's module loads all messages
    origin: fields.unsigned(3),
    isKernel: fields.unsigned(4) !== 0,
    size: fields.unsigned(5),
    removed: fields.unsigned(6) !== 0,
    digest: fields.bytes(7),
    ...(fields.has(8) ? { users: usersOf(fields.message(8)) } : {}),
  };
}

function usersOf(fields: FieldReader): ObjectUsers {
  return {
    $typeName: 'btf.v1.ObjectUsers',
    programs: fields.messages(1).map(bpfObjectOf),
    maps: fields.messages(2).map(bpfObjectOf),
    processes: fields.messages(3).map(processOf),
  };
}

function bpfObjectOf(fields: FieldReader): ObjectUsers_BpfObject {
  return {
    $typeName: 'btf.v1.ObjectUsers.BpfObject',
    id: fields.unsigned(1),
    name: fields.text(2),
    ...(fields.has(3) ? { keyTypeId: fields.unsigned(3) } : {}),
    ...(fields.has(4) ? { valueTypeId: fields.unsigned(4) } : {}),
  };
}

function processOf(fields: FieldReader): ObjectUsers_Process {
  return { $typeName: 'btf.v1.ObjectUsers.Process', pid: fields.unsigned(1), command: fields.text(2) };
}

/** Returns a field of a string, of a message or of packed integers. */
function delimited(number: number, bytes: readonly number[]): number[] {
  return [(number << 3) | 2, ...varint(bytes.length), ...bytes];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return bytes;
}
