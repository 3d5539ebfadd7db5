/** Link is a value in a {@link LinkedList}. */
export class Link<T> {
  readonly value: T;
  /** The list that has it; null once it was removed. */
  list: LinkedList<T> | null;
  previous: Link<T> | null = null;
  next: Link<T> | null = null;

  constructor(value: T, list: LinkedList<T>) {
    this.value = value;
    this.list = list;
  }
}

/**
 * LinkedList is values in the order in which they were added. Each can be removed in constant time.
 *
 * It is for objects that come and go thousands of times in a second. V8 replaces the table of a Map or a Set when removed
 * entries have filled it, and the old table refers to the new one. If garbage collection moves one table to the old
 * generation, it keeps all later tables until V8 next collects all garbage, each with the entries that it had. At 64 calls at
 * once, that was half of all calls.
 */
export class LinkedList<T> {
  #first: Link<T> | null = null;
  #last: Link<T> | null = null;
  #size = 0;

  /** The number of values. */
  get size(): number {
    return this.#size;
  }

  /** The first link; null if there is none. */
  get first(): Link<T> | null {
    return this.#first;
  }

  /** Adds a value at the end. Returns its link, with which it can be removed. */
  add(value: T): Link<T> {
    const link = new Link(value, this);
    link.previous = this.#last;
    if (this.#last === null) this.#first = link;
    else this.#last.next = link;
    this.#last = link;
    this.#size += 1;
    return link;
  }

  /** Removes a link, if it is there. */
  remove(link: Link<T>): void {
    if (link.list !== this) return;
    const { previous, next } = link;
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next === null) this.#last = previous;
    else next.previous = previous;
    // A link that is garbage but old would keep its neighbours.
    link.list = null;
    link.previous = null;
    link.next = null;
    this.#size -= 1;
  }

  /** Returns the values, so that they can be removed while they are visited. */
  values(): T[] {
    const values: T[] = [];
    for (let link = this.#first; link !== null; link = link.next) values.push(link.value);
    return values;
  }
}
