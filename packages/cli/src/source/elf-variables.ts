import { CliError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';

/** ElfVariables tells where an object file of 64 bits puts variables. */
export interface ElfVariables {
  /** Bytes of a section; null where there is none of the name. */
  readonly sectionSize: (section: string) => number | null;
  /** Bytes from the start of its section to a variable; null where it is not in that section. */
  readonly offsetOf: (section: string, variable: string) => number | null;
}

interface Section {
  readonly name: string;
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const SHT_SYMTAB = 2;
const SECTION_BYTES = 64;
const SYMBOL_BYTES = 24;

/**
 * readElfVariables reads the sections and symbols of an object file; null where it is not of 64 bits, as those of BPF
 * are.
 *
 * @throws CliError FAILURE for a file that ends before what it tells of.
 */
export function readElfVariables(file: Uint8Array): ElfVariables | null {
  if (file[4] !== CLASS_64) return null;
  try {
    return new Reader(file).variables();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CliError(ExitCode.FAILURE, 'the ELF file is cut: its tables lie behind its end');
  }
}

class Reader {
  readonly #view: DataView;
  readonly #file: Uint8Array;
  readonly #little: boolean;

  constructor(file: Uint8Array) {
    this.#file = file;
    this.#view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    this.#little = file[5] === LITTLE_ENDIAN;
  }

  variables(): ElfVariables {
    const sections = this.#sections();
    const sizes = new Map(sections.map(({ name, size }) => [name, size]));
    const offsets = new Map<string, number>();
    for (const table of sections) {
      if (table.type === SHT_SYMTAB) this.#symbols(table, sections, offsets);
    }
    return {
      sectionSize: (section) => sizes.get(section) ?? null,
      offsetOf: (section, variable) => offsets.get(`${section}\0${variable}`) ?? null,
    };
  }

  #sections(): Section[] {
    const table = this.#u64(0x28);
    const count = this.#u16(0x3c);
    const raw = Array.from({ length: count }, (_, index) => {
      const at = table + index * SECTION_BYTES;
      return {
        nameAt: this.#u32(at),
        type: this.#u32(at + 4),
        offset: this.#u64(at + 24),
        size: this.#u64(at + 32),
        link: this.#u32(at + 40),
      };
    });
    const names = raw[this.#u16(0x3e)]?.offset ?? 0;
    return raw.map((section) => Object.assign(section, { name: this.#text(names + section.nameAt) }));
  }

  #symbols(table: Section, sections: readonly Section[], offsets: Map<string, number>): void {
    const names = sections[table.link]?.offset ?? 0;
    for (let at = table.offset; at + SYMBOL_BYTES <= table.offset + table.size; at += SYMBOL_BYTES) {
      const section = sections[this.#u16(at + 6)];
      if (section === undefined) continue;
      offsets.set(`${section.name}\0${this.#text(names + this.#u32(at))}`, this.#u64(at + 8));
    }
  }

  #text(at: number): string {
    const end = this.#file.indexOf(0, at);
    if (end === -1) throw new RangeError('a name without an end');
    return Buffer.from(this.#file.subarray(at, end)).toString('latin1');
  }

  #u16(at: number): number {
    return this.#view.getUint16(at, this.#little);
  }

  #u32(at: number): number {
    return this.#view.getUint32(at, this.#little);
  }

  #u64(at: number): number {
    return Number(this.#view.getBigUint64(at, this.#little));
  }
}
