import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from './lab.js';
import { machineFolder } from './machine.js';

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

/** ResultsOfRun collects the results of a machine. It writes them if every check holds. */
export class ResultsOfRun {
  readonly #checks: Record<string, string | null> = {};
  readonly #path: string;
  #failures = 0;

  constructor(series: string) {
    this.#path = join(machineFolder(series), 'results.json');
    rmSync(this.#path, { force: true });
  }

  /** Records that a check does not apply, or that it has started: it fails until `holds` is called. */
  start(title: string, exception: string | null): void {
    this.#checks[title] = exception;
    if (exception === null) this.#failures += 1;
  }

  holds(): void {
    this.#failures -= 1;
  }

  /** Writes the results, unless a check failed or did not run. */
  write({ machine: { kernel }, bootSeconds, mainStartSeconds }: Lab): void {
    if (this.#failures > 0) return;
    const { release, version } = kernel;
    const results: KernelResults = {
      release,
      version,
      bootSeconds: Math.round(bootSeconds),
      daemonSeconds: Math.round(mainStartSeconds),
      checks: this.#checks,
    };
    writeFileSync(this.#path, JSON.stringify(results));
  }
}
