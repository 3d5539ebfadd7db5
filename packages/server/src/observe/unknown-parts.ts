import { formatNote, type BtfNote } from '@btfd/btf';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Clock } from '../base/clock.js';
import { LineBudget } from './line-budget.js';

const MESSAGE = 'BTF has parts that this btfd does not know: the rest of it is served';

/** More objects than a kernel has modules. */
const MAX_OBJECTS = 1000;

/** Lines in a time window. A node with a new kernel has a line for each module that is read. */
const MAX_LINES = 100;

/** UnknownParts warns about BTF with parts that this library does not know, once for each object. */
export class UnknownParts {
  readonly #logger: Logger;
  /** The objects that have a line, by name, id and digest. */
  readonly #noted = new LRUCache<string, true>({ max: MAX_OBJECTS });
  /** Counts the warnings that are left out. */
  readonly budget: LineBudget;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.budget = new LineBudget(MAX_LINES, clock, (_, leftOut) => logger.warn({ leftOut }, MESSAGE));
  }

  /** note writes a warning about an object, unless it has one. */
  note(
    { id, name }: { readonly id: number; readonly name: string },
    digest: string,
    notes: readonly BtfNote[],
  ): void {
    const key = `${id} ${name} ${digest}`;
    if (this.#noted.has(key)) return;
    this.#noted.set(key, true);
    if (!this.budget.allows({})) return;
    this.#logger.warn({ btfId: id, name, notes: notes.map(formatNote).join('; ') }, MESSAGE);
  }
}
