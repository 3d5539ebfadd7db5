import { basename, dirname } from 'node:path';
import { parseElfBtf, Spec } from '@btfd/btf';
import type { MemberResult } from '@btfd/client';
import { checkFit, standsAlone } from './base-fit.js';
import { inFile, readBtfFile } from './read-btf-file.js';
import { noteUnknown, type Source, specMembers } from './source.js';
import { SYSFS } from './spec-ref.js';

/** FileSource is a file with raw BTF, or an ELF file with BTF. */
export class FileSource implements Source {
  readonly label: string;
  readonly #path: string;
  readonly #base: Source | null;
  readonly #interrupted: AbortSignal;
  readonly #note: (text: string) => void;
  #spec: Promise<Spec> | null = null;

  /**
   * @param base the base of split BTF; null if it is not known. BTF that is not split ignores it.
   * @param interrupted ends the wait for a pipe without a writer.
   * @param note prints a note about the file.
   * @param label its name in output. Default: the path.
   */
  constructor(
    path: string,
    base: Source | null,
    interrupted: AbortSignal,
    note: (text: string) => void,
    label = path,
  ) {
    this.label = label;
    this.#path = path;
    this.#base = base ?? baseInSysfs(path, interrupted, note);
    this.#interrupted = interrupted;
    this.#note = note;
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
    const knownBase = (await this.#base?.spec()) ?? null;
    return inFile(this.#path, () => {
      const btf = file.kind === 'raw' ? file.btf : file.elf.btf;
      // standsAlone reads all types, so it only runs if there is a base.
      const base = knownBase === null || standsAlone(btf) ? null : knownBase;
      const spec = file.kind === 'raw' ? Spec.parse(file.btf, { base }) : parseElfBtf(file.elf, { base });
      noteUnknown(spec.notes, this.label, this.#note);
      checkFit(spec, this.label, this.#base);
      return spec;
    });
  }
}

/** Returns the vmlinux next to a module's file in sysfs as its base, as bpftool does. */
function baseInSysfs(path: string, interrupted: AbortSignal, note: (text: string) => void): Source | null {
  if (dirname(path) !== SYSFS || basename(path) === 'vmlinux') return null;
  return new FileSource(`${SYSFS}/vmlinux`, null, interrupted, note);
}
