/** Compression is a format in which distributions ship modules. */
export interface Compression {
  /** The name of the format, and of the program that decompresses it. */
  readonly name: 'gzip' | 'xz' | 'zstd';
  /** The first bytes of a file. */
  readonly magic: readonly number[];
}

const COMPRESSIONS: readonly Compression[] = [
  { name: 'gzip', magic: [0x1f, 0x8b] },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a] },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd] },
];

/** compressionOf returns the format in which a file is compressed, by its first bytes; null if it is not. */
export function compressionOf(head: Uint8Array): Compression | null {
  return COMPRESSIONS.find(({ magic }) => magic.every((byte, at) => head[at] === byte)) ?? null;
}
