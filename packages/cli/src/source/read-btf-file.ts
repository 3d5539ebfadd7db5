import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { type ElfBtf, inflateElfBtf } from '@btfd/btf';
import { CliError, notFound } from '../cli-error.js';
import { ExitCode } from '../exit-code.js';
import { STANDARD_INPUT } from './spec-ref.js';

/** BtfFile is what a file with BTF holds. */
export type BtfFile =
  | { readonly kind: 'raw'; readonly btf: Uint8Array }
  | { readonly kind: 'elf'; readonly elf: ElfBtf; readonly bytes: Uint8Array };

/** What compressed files begin with, and what makes them readable. */
const COMPRESSED: readonly (readonly [magic: readonly number[], hint: string])[] = [
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'xz -dc'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd -dc'],
  [[0x1f, 0x8b], 'gzip -dc'],
];

/**
 * readBtfFile reads a file of raw BTF or an ELF file, told apart by what they begin with.
 *
 * @throws CliError NOT_FOUND, FAILURE; BtfFormatError for an ELF file without BTF or one that cannot be read.
 */
export async function readBtfFile(path: string): Promise<BtfFile> {
  // Opening /dev/stdin would fail where that is a socket, as between programs of Node.
  const bytes = path === STANDARD_INPUT ? await buffer(process.stdin) : readBytes(path);
  if (startsWith(bytes, [0x7f, 0x45, 0x4c, 0x46])) {
    return { kind: 'elf', elf: await inflateElfBtf(bytes), bytes };
  }
  if (startsWith(bytes, [0x9f, 0xeb]) || startsWith(bytes, [0xeb, 0x9f])) return { kind: 'raw', btf: bytes };
  const compressed = COMPRESSED.find(([magic]) => startsWith(bytes, magic));
  throw new CliError(
    ExitCode.FAILURE,
    `${path} is neither BTF nor an ELF file`,
    compressed === undefined ? null : `it is compressed: ${compressed[1]} ${path} | btfctl … -`,
  );
}

function readBytes(path: string): Uint8Array {
  try {
    // At once, as reading sysfs piece by piece through the thread pool takes thirty times as long.
    return readFileSync(path);
  } catch (error) {
    const { code, message } =
      error instanceof Error && 'code' in error ? error : { code: '', message: String(error) };
    if (code === 'ENOENT') throw notFound(`there is no file ${path}`);
    throw new CliError(ExitCode.FAILURE, `cannot read ${path}: ${message}`);
  }
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, index) => bytes[index] === byte);
}
