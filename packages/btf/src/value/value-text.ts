import { BtfFormatError } from '../format-error.js';

/** The pieces that are joined at once: a string that grows in small pieces costs several times as much. */
const PIECES = 4096;

/** ValueText collects text up to a limit. */
export class ValueText {
  readonly #maxLength: number;
  #length = 0;
  #text = '';
  #pieces: string[] = [];

  /** @param maxLength maximum number of characters. */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /**
   * write appends a text.
   *
   * @throws BtfFormatError `LIMIT_EXCEEDED` if the whole text becomes too long.
   */
  write(text: string): void {
    this.#length += text.length;
    if (this.#length > this.#maxLength) {
      throw new BtfFormatError(
        'LIMIT_EXCEEDED',
        `the text exceeds the limit of ${this.#maxLength} characters`,
      );
    }
    this.#pieces.push(text);
    if (this.#pieces.length === PIECES) this.#join();
  }

  /** The whole text. */
  toString(): string {
    this.#join();
    return this.#text;
  }

  #join(): void {
    this.#text += this.#pieces.join('');
    this.#pieces = [];
  }
}
