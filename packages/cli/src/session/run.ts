import type { Command } from 'commander';
import { ExitCode } from '../error/exit-code.js';
import type { GlobalOptions } from '../grammar/global-options.js';
import { makeColors } from '../output/colors.js';
import { Session } from './session.js';
import { type Io, wantsColor } from '../output/terminal.js';
import { printableText } from '../output/safe-text.js';

/**
 * Run makes an action of commander from what a command does, which is loaded then: to print help, or to refuse what was
 * typed, takes none of it. It answers an exit code, or nothing for OK.
 */
export type Run = <A extends unknown[]>(
  load: () => Promise<(session: Session, ...args: A) => Promise<number | void>>,
) => (...args: A) => Promise<void>;

/** RunOptions are what running a command needs. */
export interface RunOptions {
  readonly io: Io;
  /** Aborts when the user wants an end, with the exit code as reason. */
  readonly interrupted: AbortSignal;
  /** Told how the command ended. */
  readonly ended: (exitCode: number) => void;
}

/** makeRun makes the {@link Run} of a program. */
export function makeRun(program: Command, { io, interrupted, ended }: RunOptions): Run {
  return (load) =>
    async (...args) => {
      const options = program.opts<GlobalOptions>();
      try {
        const body = await load();
        await using session = new Session(io, options, interrupted);
        ended((await body(session, ...args)) ?? ExitCode.OK);
      } catch (error) {
        ended(interrupted.aborted ? Number(interrupted.reason) : await report(error, io, options));
      }
    };
}

/** report says what went wrong and what to do next. Answers the exit code. */
export async function report(
  error: unknown,
  { stderr, env }: Io,
  { color }: Pick<GlobalOptions, 'color'>,
): Promise<number> {
  const { explainError } = await import('../error/explain-error.js');
  const { exitCode, message, hint } = explainError(error);
  const colors = makeColors(wantsColor(color, stderr, env));
  stderr.write(`${colors.bad('btfctl:')} ${printableText(message)}\n`);
  if (hint !== null) stderr.write(`${colors.faint('hint:')} ${printableText(hint)}\n`);
  return exitCode;
}
