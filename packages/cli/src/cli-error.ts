import { ExitCode } from './exit-code.js';

/** CliError is a failure that a command tells of, with what to do next. */
export class CliError extends Error {
  override readonly name = 'CliError';
  /** An {@link ExitCode}. */
  readonly exitCode: number;
  /** What to do next, or null where there is nothing to say. */
  readonly hint: string | null;

  constructor(exitCode: number, message: string, hint: string | null = null) {
    super(message);
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

/** usageError is a failure of what was typed. */
export function usageError(message: string, hint: string | null = null): CliError {
  return new CliError(ExitCode.USAGE, message, hint);
}

/** notFound is the failure to find what was named. */
export function notFound(message: string, hint: string | null = null): CliError {
  return new CliError(ExitCode.NOT_FOUND, message, hint);
}
