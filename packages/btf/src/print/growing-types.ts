import { Builder, type BuilderParts, partsOf } from '../build/builder.js';
import { checkTypes } from '../build/write-btf.js';
import { visitNames, wordCount } from '../kind-words.js';
import { withRoom } from '../words.js';
import { StringBytes } from './string-bytes.js';
import { TypeWords } from './type-words.js';

/** GrowingTypes reads the types of a builder. Types that are added to the builder follow with the next {@link update}. */
export class GrowingTypes {
  readonly types: TypeWords;
  readonly strings: StringBytes;
  readonly #parts: BuilderParts;
  /** Where a string of the builder is in {@link strings}, by its number; 0 if it was not needed yet. */
  #offsets: Int32Array = new Int32Array(64);

  constructor(builder: Builder) {
    const empty = new Builder({ base: builder.base }).toSpec();
    this.types = new TypeWords(empty);
    this.strings = new StringBytes(empty);
    this.#parts = partsOf(builder);
  }

  /**
   * update adds the types that the builder got since the last call.
   *
   * @returns their number.
   * @throws BtfBuildError `INVALID_TYPE` for an id that was reserved but not defined, and for a reference to a type that
   * does not exist. Then it adds nothing.
   */
  update(): number {
    const { table } = this.#parts;
    const first = this.types.endTypeId;
    checkTypes(table, { wideVlen: true }, first);
    for (let id = first; id < table.endTypeId; id++) {
      const start = table.offset(id);
      const words = table.words.slice(start, start + wordCount(table.words[start + 1] ?? 0));
      visitNames(words, 0, (at) => {
        words[at] = this.#offsetOf(words[at] ?? 0);
      });
      this.types.append(words);
    }
    return this.types.endTypeId - first;
  }

  #offsetOf(string: number): number {
    if (string === 0) return 0;
    this.#offsets = withRoom(this.#offsets, string + 1);
    const known = this.#offsets[string] ?? 0;
    if (known !== 0) return known;
    const offset = this.strings.append(this.#parts.pool.bytesOf(string));
    this.#offsets[string] = offset;
    return offset;
  }
}
