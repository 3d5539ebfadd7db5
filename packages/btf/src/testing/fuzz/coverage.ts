import { Session } from 'node:inspector';

/** Execution is the code that ran between two reads. */
export interface Execution {
  /** Each block of code that ran, with its count rounded down to a power of two. */
  readonly blocks: readonly string[];
  /** Number of function calls: a measure of time that does not depend on other load on the machine. */
  readonly calls: number;
}

interface ScriptCoverage {
  readonly scriptId: string;
  readonly url: string;
  readonly functions: readonly {
    readonly ranges: readonly { startOffset: number; endOffset: number; count: number }[];
  }[];
}

/** Coverage counts the code that ran with V8's own counters: nothing is instrumented. */
export class Coverage implements Disposable {
  readonly #session = new Session();
  readonly #prefix: string;
  readonly #without: string;

  /** @param prefix of the URLs of scripts to count, @param without part of those not to count. */
  constructor(prefix: string, without: string) {
    this.#prefix = prefix;
    this.#without = without;
    this.#session.connect();
    this.#post('Profiler.enable');
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** take returns the code that ran since the last call. */
  take(): Execution {
    const { result } = this.#post('Profiler.takePreciseCoverage') as { result: ScriptCoverage[] };
    const blocks: string[] = [];
    let calls = 0;
    for (const { scriptId, url, functions } of result) {
      if (!url.startsWith(this.#prefix) || url.includes(this.#without)) continue;
      for (const { ranges } of functions) {
        calls += ranges[0]?.count ?? 0;
        for (const { startOffset, endOffset, count } of ranges) {
          if (count > 0) blocks.push(`${scriptId}:${startOffset}:${endOffset}:${Math.clz32(count)}`);
        }
      }
    }
    return { blocks, calls };
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }

  #post(method: string, params?: object): unknown {
    let answer: unknown;
    // Within one thread, the session responds before `post` returns.
    this.#session.post(method, params, (error, result) => {
      if (error !== null) throw error;
      answer = result;
    });
    return answer;
  }
}
