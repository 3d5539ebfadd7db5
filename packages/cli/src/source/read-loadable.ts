import { isBpfObject, parseBpfObject, prepareBtf } from '@btfd/btf';
import { inFile, readBtfFile } from './read-btf-file.js';

/** Loadable is BTF to load into a kernel. */
export interface Loadable {
  readonly btf: Uint8Array;
  /** Whether it is that of a BPF object, which loaders adapt to the kernel. */
  readonly isObject: boolean;
}

/**
 * readLoadable reads the BTF of a file to load it into a kernel. It prepares the BTF of a BPF object as libbpf does.
 *
 * @param interrupted ends the wait for a pipe without a writer.
 * @throws CliError NOT_FOUND if there is no such file or no section `.BTF`; FAILURE if it cannot be read.
 */
export async function readLoadable(path: string, interrupted: AbortSignal): Promise<Loadable> {
  const file = await readBtfFile(path, interrupted);
  if (file.kind === 'raw') return { btf: file.btf, isObject: false };
  if (!isBpfObject(file.bytes)) return { btf: file.elf.btf, isObject: false };
  return { btf: await inFile(path, () => prepareBtf(parseBpfObject(file.bytes))), isObject: true };
}
