import { BtfReadError, type ElfBtf, inflateElfBtf, isElfFile } from '@btfd/btf';
import { CliError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { nameOf, readContent } from './read-content.js';

/** BtfFile is the content of a file with BTF. */
export type BtfFile =
  | { readonly kind: 'raw'; readonly btf: Uint8Array }
  | { readonly kind: 'elf'; readonly elf: ElfBtf; readonly bytes: Uint8Array };

/** In either byte order. */
const BTF_MAGICS = [
  [0x9f, 0xeb],
  [0xeb, 0x9f],
];

/**
 * readBtfFile reads a file of raw BTF or an ELF file, also one that is compressed. It distinguishes them by their first
 * bytes, and stops reading a file of another kind, which may be endless.
 *
 * @param interrupted ends the wait for a pipe without a writer.
 * @throws CliError NOT_FOUND if there is no such file or no section `.BTF`; FAILURE if it cannot be read.
 */
export async function readBtfFile(path: string, interrupted: AbortSignal): Promise<BtfFile> {
  const bytes = await readContent(path, interrupted, (head) => checkHead(head, nameOf(path)));
  if (!isElfFile(bytes)) return { kind: 'raw', btf: bytes };
  const elf = await inFile(path, () => inflateElfBtf(bytes));
  return { kind: 'elf', elf, bytes };
}

/** inFile adds the name of a file to the errors of its BTF. @throws CliError for every BtfFormatError. */
export async function inFile<T>(path: string, read: () => Promise<T> | T): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof BtfReadError)) throw error;
    const { explainError } = await import('../error/explain-error.js');
    const { exitCode, message, hint } = explainError(error);
    throw new CliError(exitCode, `${nameOf(path)}: ${message}`, hint);
  }
}

function checkHead(head: Uint8Array, name: string): void {
  if (head.length === 0) throw new CliError(ExitCode.FAILURE, `${name} is empty`);
  if (!mayHaveBtf(head)) throw new CliError(ExitCode.FAILURE, `${name} is neither BTF nor an ELF file`);
}

/** mayHaveBtf reports whether the first bytes of a file are those of raw BTF or of an ELF file. */
export function mayHaveBtf(head: Uint8Array): boolean {
  return isElfFile(head) || BTF_MAGICS.some((magic) => startsWith(head, magic));
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, index) => bytes[index] === byte);
}
