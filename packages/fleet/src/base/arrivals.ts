/** Arrivals passes items from where they arise to one reader, who may be slower. */
export class Arrivals<T> {
  readonly #items: T[] = [];
  #isOver = false;
  #wake = (): void => {};

  add(item: T): void {
    this.#items.push(item);
    this.#wake();
  }

  /** end says that no more items come. */
  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  /** Yields the items in order, until the last one. */
  async *read(): AsyncGenerator<T, void, void> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) yield item;
      else if (this.#isOver) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
