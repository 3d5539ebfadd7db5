import { completeDatasecs } from '@btfd/btf';
import { inFile, readBtfFile } from './read-btf-file.js';

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
