import { execFile } from 'node:child_process';

const PRELUDE = `
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { intBtf, refusedBtf, slowBtf } from ${built('testing/btf-bytes.js')};
import { vmlinuxId } from ${built('testing/vmlinux.js')};
const tasks = () => readdirSync('/proc/self/task').map((id) => '/proc/self/task/' + id);
const unlessGone = (read) => { try { return read(); } catch { return ''; } };
const loadThreads = () => tasks().filter((task) => unlessGone(() => readFileSync(task + '/comm', 'latin1')) === 'btfd-load\\n');
const isRunning = (task) => / R /.test(unlessGone(() => readFileSync(task + '/stat', 'latin1')));
const btfFds = () => readdirSync('/proc/self/fd').filter((fd) => unlessGone(() => readlinkSync('/proc/self/fd/' + fd)) === 'anon_inode:btf');
const until = async (holds) => { while (!holds()) await sleep(2); };
`;
const NATIVE = `import * as native from ${built('index.js')};\n`;
/** Far more than any program needs on a busy machine, and less than jest's own limit. */
const TIMEOUT_MS = 240_000;

/** built returns the quoted URL of a module of the built package. */
export function built(file: string): string {
  return JSON.stringify(new URL(`../../dist/${file}`, import.meta.url).href);
}

export interface Finished {
  /** Null if a signal ended the process. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Node's own flags. */
  readonly flags?: readonly string[];
  /** A command that runs node, such as setpriv with its options. */
  readonly wrapper?: readonly string[];
  /** Does not import the package. Only workers of the program do. */
  readonly withoutNative?: boolean;
}

/**
 * runNode runs a program in another process. The program can use the built package as `native`, and the functions of
 * the prelude above. A program that hangs is killed.
 */
export function runNode(program: string, options: RunOptions = {}): Promise<Finished> {
  const source = PRELUDE + (options.withoutNative === true ? '' : NATIVE) + program;
  const node = [process.execPath, ...(options.flags ?? []), '--input-type=module', '--eval', source];
  const [file = '', ...args] = [...(options.wrapper ?? []), ...node];
  return new Promise((resolve) => {
    const child = execFile(
      file,
      args,
      { timeout: TIMEOUT_MS, killSignal: 'SIGKILL' },
      (_, stdout, stderr) => {
        resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr });
      },
    );
  });
}
