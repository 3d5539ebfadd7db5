import type { Spec, TypeId } from '@btfd/btf';
import { splitType } from './split-type.js';
import { typeMessage, type TypeMessage } from '../type-message.js';

/**
 * typeChunks returns the messages of types, in chunks of at most `chunkBytes` encoded bytes. A larger type continues in
 * the next chunk.
 */
export function* typeChunks(
  spec: Spec,
  ids: Iterable<TypeId>,
  chunkBytes: number,
): Generator<TypeMessage[], void, void> {
  // A slice of the list fills at most half of a chunk. Numbers and names are far smaller than the other half.
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
