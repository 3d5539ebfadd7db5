import type { ExtBlock } from './blocks.js';
import { type ExtReader, instructionAt, placesOf, sectionOf } from './ext-reader.js';

/** SourceLine is a line of a program's source. */
export interface SourceLine {
  /** The path of the file as the compiler was given it. At most 1,024 bytes. */
  readonly file: string;
  /** The text of the line, or its first 512 bytes; empty if the compiler did not have it. */
  readonly text: string;
  /** The number of the line, from 1; 0 if it has none. */
  readonly line: number;
  /** The number of the column, from 1; 0 if it has none. */
  readonly column: number;
}

/** The low bits of the word that has line and column. */
const COLUMN_BITS = 10;

const LONGEST_FILE = 1024;
const LONGEST_TEXT = 512;

/** The records of a section in the order of their instructions, and where their words are. */
interface SectionLines {
  readonly instructions: Uint32Array;
  readonly places: Uint32Array;
}

/** LineTable finds the source line of an instruction. It decodes a line when it is asked for. */
export class LineTable {
  readonly #reader: ExtReader;
  readonly #sections = new Map<string, SectionLines>();
  /** Number of records in all sections. */
  readonly count: number;

  /** @throws BtfFormatError `MALFORMED` if a record has no instruction, or a string outside the string section. */
  constructor(blocks: readonly ExtBlock[], reader: ExtReader) {
    this.#reader = reader;
    const bySection = new Map<string, ExtBlock[]>();
    for (const block of blocks) {
      const section = sectionOf(block, reader);
      const known = bySection.get(section);
      if (known === undefined) bySection.set(section, [block]);
      else known.push(block);
    }
    let count = 0;
    for (const [section, own] of bySection) {
      const lines = sectionLines(own, reader);
      this.#sections.set(section, lines);
      count += lines.places.length;
    }
    this.count = count;
  }

  /**
   * at returns the line of an instruction: that of the last record at or before it.
   *
   * @param section the name of the ELF section.
   * @param instruction counted from the start of the section.
   * @returns null if the section has no such record.
   */
  at(section: string, instruction: number): SourceLine | null {
    const lines = this.#sections.get(section);
    if (lines === undefined) return null;
    let low = 0;
    let high = lines.instructions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((lines.instructions[middle] ?? 0) <= instruction) low = middle + 1;
      else high = middle;
    }
    const place = lines.places[low - 1];
    return place === undefined ? null : this.#decode(place);
  }

  #decode(place: number): SourceLine {
    const { view, littleEndian, strings } = this.#reader;
    const u32 = (at: number): number => view.getUint32(at, littleEndian);
    const position = u32(place + 12);
    return {
      file: strings.start(u32(place + 4), LONGEST_FILE),
      text: strings.start(u32(place + 8), LONGEST_TEXT),
      line: position >>> COLUMN_BITS,
      column: position & ((1 << COLUMN_BITS) - 1),
    };
  }
}

function sectionLines(blocks: readonly ExtBlock[], reader: ExtReader): SectionLines {
  const { view, littleEndian, strings } = reader;
  const places = Uint32Array.from(blocks.flatMap(placesOf));
  const instructions = places.map((at) => instructionAt(at, reader));
  for (const at of places) {
    strings.check(view.getUint32(at + 4, littleEndian), at + 4);
    strings.check(view.getUint32(at + 8, littleEndian), at + 8);
  }
  if (instructions.every((instruction, i) => i === 0 || (instructions[i - 1] ?? 0) <= instruction)) {
    return { instructions, places };
  }
  // Compilers sort them, hostile objects need not. Of several records of an instruction the last one counts.
  const order = Uint32Array.from(places.keys()).toSorted(
    (a, b) => (instructions[a] ?? 0) - (instructions[b] ?? 0) || a - b,
  );
  return {
    instructions: order.map((i) => instructions[i] ?? 0),
    places: order.map((i) => places[i] ?? 0),
  };
}
