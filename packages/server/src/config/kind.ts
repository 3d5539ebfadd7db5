/** Kind says which values a setting takes, how they are read, and how they are written. */
export interface Kind<T> {
  /** What stands for a value in help, such as `SIZE`; null for a switch, which is a flag without a value. */
  readonly placeholder: string | null;
  /** Whether a setting may be given several times, or as a list. */
  readonly isList: boolean;
  /** What help adds to the description of each setting of this kind. */
  readonly note?: string;
  /**
   * Reads what was given.
   *
   * @throws Error that says what is wrong with it and what is accepted.
   */
  parse(texts: readonly string[]): T;
  /** Writes a value as it can be given. */
  format(value: T): string;
}
