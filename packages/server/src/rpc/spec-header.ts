import { ByteOrder, type IfNoneMatch, type SpecHeaderSchema } from '@btfd/api';
import type { Init } from '../base/message.js';
import { infoMessage } from './handle-message.js';
import type { LoadedBtf } from '../source/loaded-btf.js';
import type { SpecObject } from '../source/spec-source.js';

/** SpecHeaderMessage is what the header of a spec is made from. */
export type SpecHeaderMessage = Init<typeof SpecHeaderSchema>;

/** specHeader says what an object is whose spec follows. */
export function specHeader({ info, btf }: SpecObject, base: LoadedBtf | null): SpecHeaderMessage {
  return {
    info: infoMessage(info),
    byteOrder: btf.byteOrder === 'little' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN,
    typeCount: btf.typeCount,
    rawSize: btf.bytes.length,
    digest: btf.digest,
    baseDigest: base?.digest ?? new Uint8Array(),
    split: btf.split,
  };
}

/** isSame says whether a client has what would be sent. */
export function isSame(
  condition: IfNoneMatch | undefined,
  { btf }: SpecObject,
  base: LoadedBtf | null,
): boolean {
  if (condition === undefined) return false;
  const baseDigest = base?.digest ?? new Uint8Array();
  return (
    Buffer.compare(condition.digest, btf.digest) === 0 &&
    Buffer.compare(condition.baseDigest, baseDigest) === 0
  );
}
