import { Command } from 'commander';
import { CliError, ConfigFileError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { helpHint } from '../grammar/command-formats.js';
import type { GlobalOptions } from '../grammar/global-options.js';
import { makeColors } from '../output/colors.js';
import { messageText } from '../output/safe-text.js';
import { type Io, wantsColor } from '../output/terminal.js';
import { Session } from './session.js';

/**
 * Run makes an action for commander from the function of a command. The function is only loaded when the action runs, so
 * that help and usage errors do not load it. It returns an exit code, or nothing for OK.
 */
export type Run = <A extends unknown[]>(
  load: () => Promise<(session: Session, ...args: A) => Promise<number | void>>,
) => (...args: A) => Promise<void>;

/** RunOptions are the options of {@link makeRun}. */
export interface RunOptions {
  readonly io: Io;
  /** Aborts when the user ends the command, with the exit code as the reason. */
  readonly interrupted: AbortSignal;
  /** Is called with the exit code when the command has ended. */
  readonly ended: (exitCode: number) => void;
}

/** makeRun returns the {@link Run} of a program. */
export function makeRun(program: Command, { io, interrupted, ended }: RunOptions): Run {
  return (load) =>
    async (...args) => {
      const options = program.opts<GlobalOptions>();
      try {
        const body = await load();
        await using session = new Session(io, options, interrupted);
        ended((await body(session, ...args)) ?? ExitCode.OK);
      } catch (error) {
        ended(
          interrupted.aborted
            ? Number(interrupted.reason)
            : await report(error, io, options, helpFor(error, args)),
        );
      }
    };
}

/** Returns the hint at the help of a command for wrong arguments; null for other errors, and those of the config file. */
function helpFor(error: unknown, args: unknown[]): string | null {
  const command = args.at(-1);
  if (!(error instanceof CliError) || error.exitCode !== ExitCode.USAGE) return null;
  return command instanceof Command && !(error instanceof ConfigFileError) ? helpHint(command) : null;
}

/**
 * report prints an error and its hint. Returns the exit code.
 *
 * @param otherwise the hint for an error without one.
 */
export async function report(
  error: unknown,
  { stderr, env }: Io,
  { color }: Pick<GlobalOptions, 'color'>,
  otherwise: string | null = null,
): Promise<number> {
  const { explainError } = await import('../error/explain-error.js');
  const { exitCode, message, hint: own } = explainError(error, env);
  const hint = own ?? otherwise;
  const colors = makeColors(wantsColor(color, stderr, env));
  stderr.write(`${colors.bad('btfctl:')} ${messageText(message)}\n`);
  if (hint !== null) stderr.write(`${colors.faint('hint:')} ${messageText(hint)}\n`);
  return exitCode;
}
