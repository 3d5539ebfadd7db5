import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from './lab.js';
import { machineFolder } from './machine.js';

/** The results that `pnpm test:kernels --record` writes. */
const RECORDED = new URL('results.json', import.meta.url);

/** KernelResults are the results of the checks on one kernel. results.json has those of all kernels, by series. */
export interface KernelResults {
  readonly release: string;
  /** The version of Debian’s package. */
  readonly version: string;
  /** The seconds after which the machine answered, and those that the daemon took to start. */
  readonly bootSeconds: number;
  readonly daemonSeconds: number;
  /** For each check null if it holds, or why it does not apply. */
  readonly checks: Readonly<Record<string, string | null>>;
}

/**
 * ResultsOfRun collects the results of a machine in the folder of its kernel. Checks that this run did not make keep
 * their results if they are of the same release.
 */
export class ResultsOfRun {
  readonly #series: string;
  readonly #path: string;
  readonly #checks = new Map<string, string | null>();
  readonly #failed = new Set<string>();

  readonly #titles: readonly string[];

  /** @param titles all checks, in the order of the results */
  constructor(series: string, titles: readonly string[]) {
    this.#series = series;
    this.#titles = titles;
    this.#path = join(machineFolder(series), 'results.json');
  }

  /** Records that a check holds (null), or why it does not apply. */
  add(title: string, exception: string | null): void {
    this.#checks.set(title, exception);
    this.#failed.delete(title);
  }

  /** Records that a check has started. It fails until `add` is called. */
  start(title: string): void {
    this.#failed.add(title);
  }

  /** Writes the results, except those of checks that look at fewer modules. */
  write({ machine: { kernel }, bootSeconds, mainStartSeconds, isBrief }: Lab): void {
    if (isBrief) return;
    const { release, version } = kernel;
    const earlier = this.#earlier();
    const checks = {
      ...(earlier?.release === release ? earlier.checks : {}),
      ...Object.fromEntries(this.#checks),
    };
    const results: KernelResults = {
      release,
      version,
      bootSeconds: Math.round(bootSeconds),
      daemonSeconds: Math.round(mainStartSeconds),
      checks: Object.fromEntries(
        this.#titles.flatMap((title) => {
          const result = checks[title];
          return result === undefined || this.#failed.has(title) ? [] : [[title, result]];
        }),
      ),
    };
    writeFileSync(this.#path, JSON.stringify(results));
  }

  /** Returns the last results of this machine, or those in the repository. */
  #earlier(): KernelResults | undefined {
    if (existsSync(this.#path)) return JSON.parse(readFileSync(this.#path, 'utf8'));
    return JSON.parse(readFileSync(RECORDED, 'utf8'))[this.#series];
  }
}
