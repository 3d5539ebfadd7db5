import { basename, dirname } from 'node:path';
import { BtfFormatError, parseElfBtf, Spec } from '@btfd/btf';
import type { MemberResult } from '@btfd/client';
import { CliError } from '../cli-error.js';
import { explainError } from '../explain-error.js';
import { readBtfFile } from './read-btf-file.js';
import type { Source } from './source.js';
import { specMembers } from './spec-members.js';

/** Where Linux shows its own BTF and that of its modules, which are split from vmlinux. */
const SYSFS = '/sys/kernel/btf';

/** FileSource is BTF in a file, raw or in an ELF file. */
export class FileSource implements Source {
  readonly label: string;
  readonly #path: string;
  readonly #base: Source | null;
  #spec: Promise<Spec> | null = null;

  /** @param base what split BTF continues; null where that is not known. */
  constructor(path: string, base: Source | null) {
    this.label = path;
    this.#path = path;
    this.#base = base ?? baseInSysfs(path);
  }

  spec(): Promise<Spec> {
    this.#spec ??= this.#read();
    return this.#spec;
  }

  async members(paths: readonly string[]): Promise<MemberResult[]> {
    return specMembers(await this.spec(), paths);
  }

  async #read(): Promise<Spec> {
    const base = (await this.#base?.spec()) ?? null;
    return inFile(this.#path, async () => {
      const file = await readBtfFile(this.#path);
      return file.kind === 'raw' ? Spec.parse(file.btf, { base }) : parseElfBtf(file.elf, { base });
    });
  }
}

/** Names the file in what is wrong with the BTF in it. */
async function inFile<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof BtfFormatError)) throw error;
    const { exitCode, message, hint } = explainError(error);
    throw new CliError(exitCode, `${path}: ${message}`, hint);
  }
}

/** As bpftool: a module's file in sysfs continues the vmlinux beside it. */
function baseInSysfs(path: string): Source | null {
  if (dirname(path) !== SYSFS || basename(path) === 'vmlinux') return null;
  return new FileSource(`${SYSFS}/vmlinux`, null);
}
