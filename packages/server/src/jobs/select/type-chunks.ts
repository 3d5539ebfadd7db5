import type { Spec, TypeId } from '@btfd/btf';
import { splitType } from './split-type.js';
import { typeMessage, type TypeMessage } from './type-message.js';

/**
 * typeChunks makes the messages of types, in chunks whose encoding has at most `chunkBytes`. A type
 * that is larger goes on in the next chunk.
 */
export function* typeChunks(
  spec: Spec,
  ids: Iterable<TypeId>,
  chunkBytes: number,
): Generator<TypeMessage[], void, void> {
  // A piece has its list's slice, its numbers and its name, which are far below the other half.
  const pieceBytes = chunkBytes / 2;
  let chunk: TypeMessage[] = [];
  let bytes = 0;
  for (const id of ids) {
    for (const piece of splitType(spec.typeById(id), pieceBytes)) {
      const isFull = piece.continued || bytes + piece.maxBytes > chunkBytes;
      if (isFull && chunk.length > 0) {
        yield chunk;
        chunk = [];
        bytes = 0;
      }
      chunk.push(typeMessage(piece));
      bytes += piece.maxBytes;
    }
  }
  if (chunk.length > 0) yield chunk;
}

/** ownTypeIds are the ids of a spec's own types. */
export function* ownTypeIds({ firstTypeId, endTypeId }: Spec): Generator<TypeId, void, void> {
  for (let id = firstTypeId; id < endTypeId; id++) yield id;
}
