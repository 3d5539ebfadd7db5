import type { LoopWatch } from './loop-watch.js';

/** With a delay of the event loop above this, fewer nodes are asked at one time. */
const SLOW_MS = 200;
/** The part of the places that is left then: nodes that are silent cost this process nothing, and each takes seconds. */
const LEAST_PART = 4;
/** How often the number is adapted. */
const PERIOD_MS = 250;

interface Waiting {
  readonly start: () => void;
}

/** Place is a place among the calls that run at one time. Disposing of it frees it. */
export type Place = Disposable;

/**
 * Pace limits how many nodes are asked at one time. Questions go before surveys, so that builds that are known are asked
 * while other nodes are still silent. If the event loop of this process is slow, the number is halved, down to a quarter; it grows again later.
 */
export class Pace {
  readonly #most: number;
  readonly #loop: Pick<LoopWatch, 'delaySince'>;
  readonly #urgent: Waiting[] = [];
  readonly #others: Waiting[] = [];
  #limit: number;
  #taken = 0;
  #adaptedAt = performance.now();

  /** @param most the number of places. */
  constructor(most: number, loop: Pick<LoopWatch, 'delaySince'>) {
    this.#most = most;
    this.#limit = most;
    this.#loop = loop;
  }

  /** The number of nodes that may be asked at one time now. */
  get limit(): number {
    return this.#limit;
  }

  /**
   * take waits for a place. @throws the reason of the signal if it aborts before.
   *
   * @param urgent whether to go before those that are not.
   */
  async take(urgent: boolean, signal: AbortSignal): Promise<Place> {
    signal.throwIfAborted();
    this.#adapt();
    if (this.#taken < this.#limit) return this.#place();
    const queue = urgent ? this.#urgent : this.#others;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        queue.splice(queue.indexOf(waiting), 1);
        reject(signal.reason);
      };
      const waiting = {
        start: (): void => {
          signal.removeEventListener('abort', leave);
          resolve(this.#place());
        },
      };
      queue.push(waiting);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  #place(): Place {
    this.#taken += 1;
    let isFree = false;
    return {
      [Symbol.dispose]: () => {
        if (isFree) return;
        isFree = true;
        this.#taken -= 1;
        this.#adapt();
        while (this.#taken < this.#limit) {
          const next = this.#urgent.shift() ?? this.#others.shift();
          if (next === undefined) return;
          next.start();
        }
      },
    };
  }

  #adapt(): void {
    const now = performance.now();
    if (now < this.#adaptedAt + PERIOD_MS) return;
    const isSlow = this.#loop.delaySince(this.#adaptedAt) > SLOW_MS;
    this.#adaptedAt = now;
    this.#limit = isSlow
      ? Math.max(Math.ceil(this.#most / LEAST_PART), Math.floor(this.#limit / 2))
      : Math.min(this.#most, this.#limit + Math.ceil(this.#most / 4));
  }
}
