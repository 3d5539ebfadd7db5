import { Btfctl } from './btfctl.js';
import { until } from './until.js';

/** HeldObject is an object that only a process of `btfctl load` holds. */
export class HeldObject implements AsyncDisposable {
  readonly id: number;
  readonly #load: Btfctl;

  private constructor(id: number, load: Btfctl) {
    this.id = id;
    this.#load = load;
  }

  /** Loads the BTF in a file. */
  static async load(file: string, env: NodeJS.ProcessEnv): Promise<HeldObject> {
    const load = new Btfctl(['load', file, '-o', 'name'], env);
    await until('it is loaded', () => load.stdout.endsWith('\n'));
    return new HeldObject(Number(/^id:(\d+)$/m.exec(load.stdout)?.[1]), load);
  }

  /** Ends the process as the end of its terminal does, and does not wait for it. */
  hangUp(): void {
    this.#load.kill('SIGHUP');
  }

  /** Ends the process. */
  async end(): Promise<void> {
    this.#load.kill('SIGINT');
    await this.#load.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
