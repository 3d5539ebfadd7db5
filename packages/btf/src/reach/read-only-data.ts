import type { ByteOrder } from '../header.js';
import type { ReadOnlyVariable } from './program.js';

/** ReadOnlyData reads the content of read-only variables, and notes which ones were read. */
export class ReadOnlyData {
  /** The indexes of the variables whose values were read, except those that user space cannot set. */
  readonly read = new Set<number>();
  readonly #variables: readonly ReadOnlyVariable[];
  readonly #sections: ReadonlyMap<number, readonly number[]>;
  readonly #isLittle: boolean;
  readonly #isKnown: (variable: number) => boolean;

  /** @param isKnown whether a variable, by its index, has the value in the file. Certain variables always have. */
  constructor(
    variables: readonly ReadOnlyVariable[],
    order: ByteOrder,
    isKnown: (variable: number) => boolean,
  ) {
    this.#variables = variables;
    this.#sections = bySection(variables);
    this.#isLittle = order === 'little';
    this.#isKnown = isKnown;
  }

  /** load returns the number of `size` bytes at a place, without sign, or null if it is unknown. */
  load(section: number, offset: number, size: number): bigint | null {
    const index = this.#variableAt(section, offset);
    const variable = index === null ? undefined : this.#variables[index];
    if (index === null || variable === undefined) return null;
    const at = offset - variable.offset;
    if (at + size > variable.bytes.length) return null;
    if (!variable.isCertain) {
      if (!this.#isKnown(index)) return null;
      this.read.add(index);
    }
    let value = 0n;
    for (let i = 0; i < size; i++) {
      const byte = variable.bytes[this.#isLittle ? at + size - 1 - i : at + i] ?? 0;
      value = (value << 8n) | BigInt(byte);
    }
    return value;
  }

  /** Returns the last variable of a section that starts at or before an offset. */
  #variableAt(section: number, offset: number): number | null {
    const indexes = this.#sections.get(section) ?? [];
    let [low, high] = [0, indexes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const start = this.#variables[indexes[middle] ?? 0]?.offset ?? 0;
      if (start <= offset) low = middle + 1;
      else high = middle;
    }
    return indexes[low - 1] ?? null;
  }
}

function bySection(variables: readonly ReadOnlyVariable[]): ReadonlyMap<number, readonly number[]> {
  const sections = new Map<number, number[]>();
  for (const [index, { section }] of variables.entries()) {
    const indexes = sections.get(section);
    if (indexes === undefined) sections.set(section, [index]);
    else indexes.push(index);
  }
  for (const indexes of sections.values())
    indexes.sort((a, b) => (variables[a]?.offset ?? 0) - (variables[b]?.offset ?? 0));
  return sections;
}
