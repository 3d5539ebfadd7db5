import { CliError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';

/** Compression is a format in which distributions ship modules. */
export interface Compression {
  /** The name of the format, and of the program that decompresses it. */
  readonly name: 'gzip' | 'xz' | 'zstd';
  /** The first bytes of a file. */
  readonly magic: readonly number[];
  /** The end of the names of such files. */
  readonly ending: string;
}

/** COMPRESSIONS are the formats that are read. */
export const COMPRESSIONS: readonly Compression[] = [
  { name: 'gzip', magic: [0x1f, 0x8b], ending: '.gz' },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], ending: '.xz' },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd], ending: '.zst' },
];

/** CompressedError is the error for a compressed file whose content cannot be read. */
export class CompressedError extends CliError {
  constructor(message: string, hint: string | null = null) {
    super(ExitCode.FAILURE, message, hint);
  }
}

/** DamagedError is the error for a file that ends too early, or is not what its first bytes say. */
export class DamagedError extends CompressedError {}

/** compressionOf returns the format in which a file is compressed, by its first bytes; null if it is not. */
export function compressionOf(head: Uint8Array): Compression | null {
  return COMPRESSIONS.find(({ magic }) => magic.every((byte, at) => head[at] === byte)) ?? null;
}

/** withoutCompression returns the name that a file has without compression: `veth.ko` for `veth.ko.xz`. */
export function withoutCompression(name: string): string {
  const ending = COMPRESSIONS.find((one) => name.endsWith(one.ending))?.ending ?? '';
  return name.slice(0, name.length - ending.length);
}
