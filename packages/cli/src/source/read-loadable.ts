import { isBpfObject, isSplit, parseBpfObject, prepareBtf } from '@btfd/btf';
import { CliError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
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
 * @throws CliError NOT_FOUND if there is no such file or no section `.BTF`; FAILURE if it cannot be read, or is split from a base.
 */
export async function readLoadable(path: string, interrupted: AbortSignal): Promise<Loadable> {
  const file = await readBtfFile(path, interrupted);
  if (file.kind === 'raw' || !isBpfObject(file.bytes)) {
    const btf = file.kind === 'raw' ? file.btf : file.elf.btf;
    if (isSplit(btf)) throw splitError(path);
    return { btf, isObject: false };
  }
  return { btf: await inFile(path, () => prepareBtf(parseBpfObject(file.bytes))), isObject: true };
}

function splitError(path: string): CliError {
  return new CliError(
    ExitCode.FAILURE,
    `${path} has split BTF, as a module has, and the kernel loads that only with the module`,
    `\`btfctl dump ${path} --base vmlinux\` shows its types`,
  );
}
