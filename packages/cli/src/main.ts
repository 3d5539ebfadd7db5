import { setMaxListeners } from 'node:events';
import { CommanderError } from 'commander';
import { ExitCode } from './exit-code.js';
import { makeProgram } from './program.js';
import type { Io } from './terminal.js';

/** How long what does not hear of an interruption, such as the opening of a pipe, may hold up the end. */
const DEAF_MS = 200;

const ENDINGS = { SIGINT: ExitCode.INTERRUPTED, SIGTERM: ExitCode.TERMINATED } as const;

/** main is the program `btfctl`. */
export async function main(): Promise<void> {
  // Deprecations are for developers, and Node has one for TLS with an IP address.
  process.noDeprecation = true;
  const { stdout, stderr, env } = process;
  // A full disk below the help. What commands print has its own look at it.
  for (const stream of [stdout, stderr]) {
    stream.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code !== 'EPIPE') process.exitCode = ExitCode.FAILURE;
    });
  }
  const interrupted = endingSignal();
  const exitCode = await runBtfctl(process.argv.slice(2), { stdout, stderr, env }, interrupted);
  process.exitCode ||= exitCode;
  if (interrupted.aborted) endAnyway(interrupted.reason === ExitCode.INTERRUPTED ? 'SIGINT' : 'SIGTERM');
}

/** Ends the process where something keeps it alive; `process.exit` would wait for that too. */
function endAnyway(signal: NodeJS.Signals): void {
  setTimeout(() => {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  }, DEAF_MS).unref();
}

/**
 * runBtfctl runs one command. Answers the exit code.
 *
 * @param interrupted aborts when the user wants an end, with the exit code as reason.
 */
export async function runBtfctl(args: readonly string[], io: Io, interrupted: AbortSignal): Promise<number> {
  let exitCode: number = ExitCode.OK;
  const program = makeProgram({ io, interrupted, ended: (code) => (exitCode = code) });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? ExitCode.OK : ExitCode.USAGE;
  }
  return exitCode;
}

/** Aborts at the first SIGINT or SIGTERM; a second one ends the process at once, as by default. */
function endingSignal(): AbortSignal {
  const ending = new AbortController();
  // Every request listens to it.
  setMaxListeners(0, ending.signal);
  for (const [name, exitCode] of Object.entries(ENDINGS)) {
    process.once(name, () => ending.abort(exitCode));
  }
  return ending.signal;
}
