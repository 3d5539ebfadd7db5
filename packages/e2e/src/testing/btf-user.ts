import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../../../native/src/testing/btf-user.py', import.meta.url));

interface Named {
  readonly id: number;
  readonly name: string;
}

/** UserFacts is what btf-user.py prints about itself. */
interface UserFacts {
  readonly pid: number;
  readonly command: string;
  readonly btfId: number;
  /** Its keys are an int, its values a struct. */
  readonly map: Named;
  /** Two maps of global variables, which have one name, with other BTF. */
  readonly globals: readonly [Named, Named];
  /** A map without BTF. */
  readonly plainMap: Named;
  readonly program: Named;
  /** The longer name of the program in its BTF. */
  readonly functionName: string;
}

/** BtfUser is a process that holds a BTF object twice, and a map and a program that use the object. */
export class BtfUser implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(
    child: ChildProcess,
    readonly facts: UserFacts,
  ) {
    this.#child = child;
  }

  static async start(): Promise<BtfUser> {
    const child = spawn('python3', [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] });
    for await (const line of createInterface(child.stdout)) return new BtfUser(child, JSON.parse(line));
    throw new Error('btf-user.py printed nothing');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await exited;
  }
}
