import { types } from 'node:util';
import { setLogger } from '@grpc/grpc-js';
import { pino, stdTimeFunctions, type Logger, type LoggerOptions as PinoOptions } from 'pino';
import type { LogFormat } from '../config/settings.js';
import { errorCode } from '../error/error-code.js';
import { withPriority } from './journal.js';
import { LogOutput, type LogStream } from './log-output.js';

/** LoggerOptions are the options of `makeLog`. */
export interface LoggerOptions {
  readonly level: string;
  readonly format: LogFormat;
  /** Receives the lines. Default: standard error. */
  readonly stream?: LogStream & { readonly isTTY?: boolean };
  /** Whether journald reads the lines, which then begin with a priority. Default: false. */
  readonly toJournal?: boolean;
}

/** Log is a logger with its output. */
export interface Log {
  readonly logger: Logger;
  readonly output: LogOutput;
}

/** Maximum size of the lines that wait for a reader of standard error: thousands of lines. */
const MAX_PENDING = 1 << 20;
/** Maximum length of a field. The daemon's own fields are shorter. */
const MAX_TEXT = 1024;
const MAX_STACK = 8192;

/** makeLog returns the daemon's logger. */
export async function makeLog(options: LoggerOptions): Promise<Log> {
  const { level, format, stream = process.stderr, toJournal = false } = options;
  const terminal = stream.isTTY === true;
  const pretty = format === 'pretty' || (format === 'auto' && terminal);
  const formatted = pretty ? await prettyLines(terminal) : (line: string) => line;
  const output = new LogOutput(
    stream,
    MAX_PENDING,
    toJournal ? (line) => withPriority(line, formatted(line)) : formatted,
  );
  return { logger: pino(loggerOptions(level), output), output };
}

/** Imported here, because a daemon without a terminal does not need it. */
async function prettyLines(colorize: boolean): Promise<(line: string) => string> {
  const { prettyLine } = await import('./pretty-line.js');
  return prettyLine(colorize);
}

/**
 * takeGrpcLog makes grpc-js log at the level `debug`, in this whole process. Otherwise it writes a line to standard error for
 * each header that it cannot read, with the header: whoever can connect could write any text there, any number of times.
 */
export function takeGrpcLog(logger: Logger): void {
  setLogger({ error: (message: unknown) => logger.debug({ line: String(message) }, 'grpc-js') });
}

/** loggerOptions returns options of pino that limit the length of a line, and write levels as words and times as RFC 3339. */
export function loggerOptions(level: string): PinoOptions {
  return {
    level,
    timestamp: stdTimeFunctions.isoTime,
    serializers: { err: errorFields },
    formatters: { log: bounded, level: (label) => ({ level: label }) },
  };
}

/** Logs only these properties of an error. Others may hold the kernel's log about BTF, or data that a client sent. */
function errorFields(error: unknown): unknown {
  if (!types.isNativeError(error)) {
    return cut(typeof error === 'string' ? error : Object.prototype.toString.call(error), MAX_TEXT);
  }
  const code = errorCode(error);
  return {
    type: error.name,
    message: cut(error.message, MAX_TEXT),
    ...(code === '' ? {} : { code: cut(code, MAX_TEXT) }),
    stack: cut(stackOf(error), MAX_STACK),
  };
}

/** Returns the stack of an error and of its cause. */
function stackOf({ stack = '', cause }: Error): string {
  return types.isNativeError(cause) ? `${stack}\ncaused by: ${cause.stack ?? cause.message}` : stack;
}

function bounded(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      typeof value === 'string' ? cut(value, MAX_TEXT) : value,
    ]),
  );
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`;
}
