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

/** codeOf is the code of an error of the system, such as `ENOENT`; null for what has none. */
export function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
}

/** messageOf is what an error says. */
export function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error
    ? String(error.message)
    : String(error);
}
