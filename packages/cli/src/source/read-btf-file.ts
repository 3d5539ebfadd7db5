import { BtfFormatError, completeDatasecs, type ElfBtf, inflateElfBtf } from '@btfd/btf';
import { CliError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { explainError } from '../error/explain-error.js';
import { readFile } from './read-file.js';
import { STANDARD_INPUT } from './spec-ref.js';

/** BtfFile is what a file with BTF holds. */
export type BtfFile =
  | { readonly kind: 'raw'; readonly btf: Uint8Array }
  | { readonly kind: 'elf'; readonly elf: ElfBtf; readonly bytes: Uint8Array };

const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];
/** In either byte order. */
const BTF_MAGICS = [
  [0x9f, 0xeb],
  [0xeb, 0x9f],
];

/** What compressed files begin with, and what makes them readable. */
const COMPRESSED: readonly (readonly [magic: readonly number[], hint: string])[] = [
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'xz -dc'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd -dc'],
  [[0x1f, 0x8b], 'gzip -dc'],
];

/**
 * readBtfFile reads a file of raw BTF or an ELF file, told apart by what they begin with. What begins otherwise is not
 * read on, so that it may be endless.
 *
 * @param interrupted ends the wait for a pipe that nobody writes.
 * @throws CliError NOT_FOUND, FAILURE, which names the file.
 */
export async function readBtfFile(path: string, interrupted: AbortSignal): Promise<BtfFile> {
  const called = path === STANDARD_INPUT ? 'standard input' : path;
  const bytes = await readFile(path, interrupted, (head) => checkHead(head, path, called));
  if (!startsWith(bytes, ELF_MAGIC)) return { kind: 'raw', btf: bytes };
  const elf = await inFile(called, () => inflateElfBtf(bytes));
  return { kind: 'elf', elf, bytes };
}

/** inFile names the file in what is wrong with the BTF in it. */
export async function inFile<T>(path: string, read: () => Promise<T> | T): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof BtfFormatError)) throw error;
    const { exitCode, message, hint } = explainError(error);
    throw new CliError(exitCode, `${path}: ${message}`, hint);
  }
}

function checkHead(head: Uint8Array, path: string, called: string): void {
  if (head.length === 0) throw new CliError(ExitCode.FAILURE, `${called} is empty`);
  if ([ELF_MAGIC, ...BTF_MAGICS].some((magic) => startsWith(head, magic))) return;
  const compressed = COMPRESSED.find(([magic]) => startsWith(head, magic));
  throw new CliError(
    ExitCode.FAILURE,
    `${called} is neither BTF nor an ELF file`,
    compressed === undefined ? null : `it is compressed: ${compressed[1]} ${path} | btfctl … -`,
  );
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, index) => bytes[index] === byte);
}

/**
 * readLoadable reads the BTF of a file as a kernel takes it: that of an object file as a loader of BPF programs makes it.
 *
 * @param interrupted ends the wait for a pipe that nobody writes.
 * @throws CliError NOT_FOUND, FAILURE, which names the file.
 */
export async function readLoadable(path: string, interrupted: AbortSignal): Promise<Uint8Array> {
  const file = await readBtfFile(path, interrupted);
  if (file.kind === 'raw') return file.btf;
  return inFile(path, () => completeDatasecs(file.elf.btf, file.bytes));
}
