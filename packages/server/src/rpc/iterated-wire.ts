import type { MessageInitShape } from '@bufbuild/protobuf';
import { HandleInfoSchema, IterateHandlesResponseSchema } from '@btfd/api';
import { fieldNumbers, WireWriter } from '../base/wire-writer.js';
import { Encoded } from '../grpc/rpc.js';

const RESPONSE = fieldNumbers(IterateHandlesResponseSchema);
const INFO = fieldNumbers(HandleInfoSchema);
/** One for all messages: each is taken before the next begins. */
const out = new WireWriter();

/**
 * encodeIterated encodes a response of IterateHandles, of which a call sends thousands, in a third of the time that
 * protobuf-es takes. It returns null for a response with a handle or with details, which cost more than to encode it.
 */
export function encodeIterated({
  info,
  handle,
}: MessageInitShape<typeof IterateHandlesResponseSchema>): Encoded | null {
  if (info === undefined || handle !== undefined) return null;
  if (info.digest !== undefined || info.users !== undefined) return null;
  const start = out.begin(RESPONSE.info);
  out.uint32(INFO.id, info.id ?? 0);
  out.text(INFO.name, info.name ?? '');
  out.uint32(INFO.origin, info.origin ?? 0);
  out.bool(INFO.isKernel, info.isKernel ?? false);
  out.uint32(INFO.size, info.size ?? 0);
  out.bool(INFO.removed, info.removed ?? false);
  out.end(start);
  return new Encoded(out.take());
}
