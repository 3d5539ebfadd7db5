import { Writable } from 'node:stream';
import { runBtfctl } from '../main.js';

/** CliRun is the result of a command that ran in this process. */
export interface CliRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

class Text extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number;

  /** @param columns of a terminal; 0 if it is not one. */
  constructor(columns: number) {
    super();
    this.isTTY = columns > 0;
    this.columns = columns;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/**
 * runCli runs btfctl in this process, without a daemon unless `env` names one.
 *
 * @param columns of the terminal on standard output; 0 if that is not one.
 */
export async function runCli(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  columns = 0,
): Promise<CliRun> {
  const io = {
    stdout: new Text(columns),
    stderr: new Text(0),
    env: { BTFD_ADDRESS: 'unix:/nonexistent.sock', HOME: '/dev/null', ...env },
  };
  const status = await runBtfctl(args, io, new AbortController().signal);
  return { status, stdout: io.stdout.text, stderr: io.stderr.text };
}
