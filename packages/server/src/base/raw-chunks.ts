/** rawChunks cuts bytes into views of at most `chunkBytes`. */
export function* rawChunks(bytes: Uint8Array, chunkBytes: number): Generator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}
