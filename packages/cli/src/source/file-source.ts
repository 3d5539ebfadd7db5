import { basename, dirname } from 'node:path';
import { parseElfBtf, Spec } from '@btfd/btf';
import type { MemberResult } from '@btfd/client';
import { inFile, readBtfFile } from './read-btf-file.js';
import { checkFit, standsAlone } from './base-fit.js';
import { type Source, specMembers } from './source.js';

/** Where Linux shows its own BTF and that of its modules, which are split from vmlinux. */
const SYSFS = '/sys/kernel/btf';

/** FileSource is BTF in a file, raw or in an ELF file. */
export class FileSource implements Source {
  readonly label: string;
  readonly #path: string;
  readonly #base: Source | null;
  readonly #interrupted: AbortSignal;
  #spec: Promise<Spec> | null = null;

  /**
   * @param base what split BTF continues; null where that is not known. BTF that is not split does without it.
   * @param interrupted ends the wait for a pipe that nobody writes.
   */
  constructor(path: string, base: Source | null, interrupted: AbortSignal) {
    this.label = path;
    this.#path = path;
    this.#base = base ?? baseInSysfs(path, interrupted);
    this.#interrupted = interrupted;
  }

  spec(): Promise<Spec> {
    this.#spec ??= this.#read();
    return this.#spec;
  }

  async members(paths: readonly string[]): Promise<MemberResult[]> {
    return specMembers(await this.spec(), paths);
  }

  async #read(): Promise<Spec> {
    const file = await readBtfFile(this.#path, this.#interrupted);
    const given = (await this.#base?.spec()) ?? null;
    return inFile(this.#path, () => {
      const base = standsAlone(file.kind === 'raw' ? file.btf : file.elf.btf) ? null : given;
      const spec = file.kind === 'raw' ? Spec.parse(file.btf, { base }) : parseElfBtf(file.elf, { base });
      checkFit(spec, this.label, this.#base);
      return spec;
    });
  }
}

/** As bpftool: a module's file in sysfs continues the vmlinux beside it. */
function baseInSysfs(path: string, interrupted: AbortSignal): Source | null {
  if (dirname(path) !== SYSFS || basename(path) === 'vmlinux') return null;
  return new FileSource(`${SYSFS}/vmlinux`, null, interrupted);
}
