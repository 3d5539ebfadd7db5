import type { LineTable, SourceLine } from '../ext/lines.js';

/**
 * Sources finds the source lines of instructions, and keeps those that it found: a subprogram may be part of very many
 * programs, and a line may be long.
 */
export class Sources {
  readonly #lines: LineTable | null;
  readonly #known = new Map<string, SourceLine | null>();

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
    const line = this.#lines.at(section, instruction);
    this.#known.set(key, line);
    return line;
  }
}
