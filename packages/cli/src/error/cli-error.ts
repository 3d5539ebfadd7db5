import type { BtfError } from '@btfd/client';
import { ExitCode } from './exit-code.js';

/** CliError is a failure of a command, with an exit code and a hint. */
export class CliError extends Error {
  override readonly name = 'CliError';
  /** An {@link ExitCode}. */
  readonly exitCode: number;
  /** Advice on the next step, or null. */
  readonly hint: string | null;

  constructor(exitCode: number, message: string, hint: string | null = null) {
    super(message);
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

/** ConfigFileError is the error for an invalid config file. Unlike other errors of usage, the help of a command does not help. */
export class ConfigFileError extends CliError {
  constructor(message: string, hint: string | null = null) {
    super(ExitCode.USAGE, message, hint);
  }
}

/** usageError returns the error for invalid arguments. */
export function usageError(message: string, hint: string | null = null): CliError {
  return new CliError(ExitCode.USAGE, message, hint);
}

/** notFound returns the error for a name that does not exist. */
export function notFound(message: string, hint: string | null = null): CliError {
  return new CliError(ExitCode.NOT_FOUND, message, hint);
}

/** codeOf returns the code of a system error, such as `ENOENT`, and null for other values. */
export function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
}

/** messageOf returns the message of an error, and the text of other values. */
export function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error
    ? String(error.message)
    : String(error);
}

/**
 * isBtfError reports whether a value is an error of the client. It compares the name, because the class would load gRPC
 * for errors of files too.
 */
export function isBtfError(value: unknown): value is BtfError {
  return value instanceof Error && value.name === 'BtfError';
}
