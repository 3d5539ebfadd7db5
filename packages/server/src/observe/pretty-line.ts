import { prettyFactory } from 'pino-pretty';
import { printable, printableLines } from '../base/text.js';

/**
 * prettyLine returns a function that formats a line of JSON for people: one line, except for the stack of an error. It
 * escapes text that clients chose, so that it cannot make a line of its own or control a terminal.
 */
export function prettyLine(colorize: boolean): (line: string) => string {
  const prettify = prettyFactory({
    colorize,
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  });
  return (line) => {
    const fields: Readonly<Record<string, unknown>> = JSON.parse(line);
    return prettify(printableTree('', asSentence(fields)));
  };
}

/** Puts the outcome of a call into its message, which a reader sees first. */
function asSentence(fields: Readonly<Record<string, unknown>>): unknown {
  const { service: _service, method, code, durationMs, ...others } = fields;
  if (typeof method !== 'string' || typeof code !== 'string') return fields;
  return { ...others, msg: `${String(fields['msg'])} ${method} ${code} ${String(durationMs)} ms` };
}

function printableTree(key: string, value: unknown): unknown {
  // A stack is printed with every line indented.
  if (typeof value === 'string') return key === 'stack' ? printableLines(value) : printable(value);
  if (Array.isArray(value)) return value.map((item: unknown) => printableTree(key, item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [printable(name), printableTree(name, item)]),
  );
}
