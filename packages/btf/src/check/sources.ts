import type { LineTable, SourceLine } from '../ext/lines.js';

/** The characters of all lines that are found. Real objects have some 100,000; records of a hostile one may share a text. */
const MAX_TEXT = 16 * 1024 * 1024;

/**
 * Sources finds the source lines of instructions, and keeps those that it found: a subprogram may be part of very many
 * programs, and a line may be long. After 16,777,216 characters it finds no others.
 */
export class Sources {
  readonly #lines: LineTable | null;
  readonly #known = new Map<string, SourceLine | null>();
  #textLeft = MAX_TEXT;

  /** @param lines null if the object has none. */
  constructor(lines: LineTable | null) {
    this.#lines = lines;
  }

  /**
   * at returns the line of an instruction; null if there is none.
   *
   * @param section the name of the ELF section.
   * @param instruction counted from the start of the section.
   */
  at(section: string, instruction: number): SourceLine | null {
    if (this.#lines === null) return null;
    const key = `${instruction} ${section}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#textLeft < 0) return null;
    const line = this.#lines.at(section, instruction);
    this.#textLeft -= (line?.file.length ?? 0) + (line?.text.length ?? 0);
    this.#known.set(key, line);
    return line;
  }
}
