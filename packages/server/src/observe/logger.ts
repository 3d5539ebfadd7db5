import { types } from 'node:util';
import { pino, type Logger, type LoggerOptions as PinoOptions } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { LogFormat } from '../config/settings.js';
import { errorCode } from '../error/error-code.js';
import { LogOutput, type LogStream } from './log-output.js';
import { printable, printableLines } from '../base/text.js';

/** LoggerOptions say what is logged and how. */
export interface LoggerOptions {
  readonly level: string;
  readonly format: LogFormat;
  /** Where lines go. Default: standard error. */
  readonly stream?: LogStream & { readonly isTTY?: boolean };
}

/** Log is a logger with the place its lines go to. */
export interface Log {
  readonly logger: Logger;
  readonly output: LogOutput;
}

/** What waits for a reader of standard error at most: thousands of lines. */
const MAX_PENDING = 1 << 20;
/** A field of a line; none that the daemon means to log is longer. */
const MAX_TEXT = 1024;
const MAX_STACK = 8192;

/** makeLog makes the daemon's logger. */
export function makeLog({ level, format, stream = process.stderr }: LoggerOptions): Log {
  const terminal = stream.isTTY === true;
  const pretty = format === 'pretty' || (format === 'auto' && terminal);
  const output = new LogOutput(stream, MAX_PENDING, pretty ? prettyLine(terminal) : undefined);
  return { logger: pino(loggerOptions(level), output), output };
}

/** loggerOptions bound what a line may hold. */
export function loggerOptions(level: string): PinoOptions {
  return {
    level,
    serializers: { err: errorFields },
    formatters: { log: bounded },
  };
}

/** Of an error nothing but what a person needs: other properties may hold a verifier's log, or what a client sent. */
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

/** The stack of an error and of its cause. */
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

/** Text that clients chose is no line of its own, and no command to a terminal. */
function prettyLine(colorize: boolean): (line: string) => string {
  const prettify = prettyFactory({ colorize, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' });
  return (line) => prettify(printableTree('', JSON.parse(line)));
}

function printableTree(key: string, value: unknown): unknown {
  // A stack is printed with every line set in.
  if (typeof value === 'string') return key === 'stack' ? printableLines(value) : printable(value);
  if (Array.isArray(value)) return value.map((item: unknown) => printableTree(key, item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [printable(name), printableTree(name, item)]),
  );
}
