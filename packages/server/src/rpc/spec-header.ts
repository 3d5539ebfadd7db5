import { ByteOrder, type IfNoneMatch, NoteKind, type SpecHeaderSchema } from '@btfd/api';
import type { Init } from '../base/message.js';
import { infoMessage } from './handle-message.js';
import type { LoadedBtf } from '../source/loaded-btf.js';
import type { SpecObject } from '../source/spec-source.js';

/** SpecHeaderMessage is the header of a spec. */
export type SpecHeaderMessage = Init<typeof SpecHeaderSchema>;

/** specHeader returns the header of a spec, which describes its object. */
export function specHeader({ info, btf }: SpecObject, base: LoadedBtf | null): SpecHeaderMessage {
  const { typeCount, notes } = btf.survey(base);
  return {
    info: infoMessage(info),
    byteOrder: btf.byteOrder === 'little' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN,
    typeCount: typeCount ?? 0,
    rawSize: btf.bytes.length,
    digest: btf.digest,
    baseDigest: base?.digest ?? new Uint8Array(),
    split: btf.split,
    notes: notes.map(({ kind, offset, length, message }) => ({
      kind: NoteKind[kind],
      offset,
      length,
      message,
    })),
  };
}

/** isSame reports whether a client has the BTF already that would be sent. */
export function isSame(condition: IfNoneMatch | undefined, btf: LoadedBtf, base: LoadedBtf | null): boolean {
  if (condition === undefined) return false;
  const baseDigest = base?.digest ?? new Uint8Array();
  return (
    Buffer.compare(condition.digest, btf.digest) === 0 &&
    Buffer.compare(condition.baseDigest, baseDigest) === 0
  );
}
