import { setMaxListeners } from 'node:events';
import { type Command, CommanderError } from 'commander';
import { COMPLETE } from './grammar/completion.js';
import { ExitCode } from './error/exit-code.js';
import { Output } from './output/output.js';
import { endWithTerminal, type Io, terminals } from './output/terminal.js';
import { makeProgram } from './program.js';
import { report } from './session/run.js';

/** How long an operation that cannot be interrupted, such as opening a pipe, may delay the end. */
const DEAF_MS = 200;

const ENDINGS = {
  SIGHUP: ExitCode.HUNG_UP,
  SIGINT: ExitCode.INTERRUPTED,
  SIGTERM: ExitCode.TERMINATED,
} as const;

/** main is the program `btfctl`. */
export async function main(): Promise<void> {
  let isOver = false;
  process.once('exit', () => {
    // The command has not ended, but nothing is left that it could wait for.
    if (!isOver) process.exitCode = ExitCode.FAILURE;
  });
  // Deprecations are for developers, and Node warns of TLS with an IP address.
  process.noDeprecation = true;
  const atStart = terminals();
  const { stdout, stderr, env } = process;
  // A message that nobody reads, or a full disk that it goes to, does not change the result.
  stderr.on('error', () => {});
  const interrupted = endingSignal();
  process.exitCode = await runBtfctl(process.argv.slice(2), { stdout, stderr, env }, interrupted);
  isOver = true;
  endWithTerminal(atStart);
  if (interrupted.aborted) endAnyway(Number(interrupted.reason) - 128);
  // Without this, Node takes its heap apart before it ends.
  else if (stdout.writableLength === 0 && stderr.writableLength === 0) process.exit();
}

/** Ends the process by the signal if something still keeps it alive. `process.exit` would wait for that too. */
function endAnyway(signal: number): void {
  const kill = (): void => {
    for (const name of Object.keys(ENDINGS)) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  };
  setTimeout(kill, DEAF_MS).unref();
}

/**
 * runBtfctl runs one command. Returns its exit code.
 *
 * @param interrupted aborts when the user ends the command, with the exit code as the reason.
 */
export async function runBtfctl(args: readonly string[], io: Io, interrupted: AbortSignal): Promise<number> {
  let exitCode: number = ExitCode.OK;
  const help = new Output(io.stdout, { pager: null, env: io.env });
  const programFor = (words: readonly string[]): Command =>
    makeProgram({ io, interrupted, ended: (code) => (exitCode = code) }, help, words);
  const [first, ...rest] = args;
  if (first === COMPLETE) {
    const { complete } = await import('./completion/complete.js');
    await complete(rest, programFor, io, interrupted);
    return exitCode;
  }
  const program = programFor(args);
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? endOf(help, io) : ExitCode.USAGE;
  }
  return exitCode;
}

/** Waits until the help or the version is written. A reader that leaves early is not a failure; a full disk is. */
async function endOf(help: Output, io: Io): Promise<number> {
  try {
    await help.end();
    return ExitCode.OK;
  } catch (error) {
    return report(error, io, { color: 'auto' });
  }
}

/**
 * Aborts at the first SIGHUP, SIGINT or SIGTERM. The next one ends the process at once, as it does by default. Neither is
 * noticed during work that does not return to the event loop, so such work must be bounded.
 */
function endingSignal(): AbortSignal {
  const ending = new AbortController();
  // Every request listens to it.
  setMaxListeners(0, ending.signal);
  for (const [name, exitCode] of Object.entries(ENDINGS)) {
    process.once(name, () => ending.abort(exitCode));
  }
  return ending.signal;
}
