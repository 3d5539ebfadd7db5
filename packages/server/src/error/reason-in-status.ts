import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { ERROR_DOMAIN, ErrorInfoSchema, ErrorReason, StatusSchema } from '@btfd/api';
import type { Metadata } from '@grpc/grpc-js';

/** reasonInStatus is the reason that the trailers of a status tell, null where they tell none of ours. */
export function reasonInStatus(trailers: Metadata): ErrorReason | null {
  const [bytes] = trailers.get('grpc-status-details-bin');
  if (!Buffer.isBuffer(bytes)) return null;
  for (const any of fromBinary(StatusSchema, new Uint8Array(bytes)).details) {
    const info = anyUnpack(any, ErrorInfoSchema);
    if (info?.domain === ERROR_DOMAIN) return REASONS.get(info.reason) ?? null;
  }
  return null;
}

const REASONS: ReadonlyMap<string, ErrorReason> = new Map(
  Object.entries(ErrorReason).flatMap(([name, reason]) =>
    typeof reason === 'number' ? [[name, reason]] : [],
  ),
);
