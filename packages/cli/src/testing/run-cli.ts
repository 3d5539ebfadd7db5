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

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** runCli runs btfctl in this process, without a daemon unless `env` names one. */
export async function runCli(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CliRun> {
  const io = {
    stdout: new Text(),
    stderr: new Text(),
    env: { BTFD_ADDRESS: 'unix:/nonexistent.sock', HOME: '/dev/null', ...env },
  };
  const status = await runBtfctl(args, io, new AbortController().signal);
  return { status, stdout: io.stdout.text, stderr: io.stderr.text };
}
