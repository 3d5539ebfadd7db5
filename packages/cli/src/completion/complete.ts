import { Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import { type Shell, SHELLS } from '../grammar/completion.js';
import { type GlobalOptions, parseTime } from '../grammar/global-options.js';
import type { Io } from '../output/terminal.js';
import { Session } from '../session/session.js';
import { type Answer, NOTHING } from './answer.js';
import { completeLine } from './complete-line.js';
import { splitWords, unquoted } from './shell-words.js';
import { readLine, type TypedLine, valueOf } from './typed-line.js';
import { type Typed, WRITE_ANSWER } from './write-answer.js';

/** How long a person waits for Tab, unless BTFCTL_COMPLETION_TIMEOUT says otherwise. */
const WAIT_MS = 500;

/** The options that choose a daemon. */
const TARGET = [
  'address',
  'context',
  'config',
  'tlsCa',
  'tlsCert',
  'tlsKey',
  'tlsServerName',
] as const satisfies readonly (keyof GlobalOptions)[];

/** The line up to the cursor, as a script passes it. */
interface Request extends Typed {
  /** The words between the program and the cursor. */
  readonly words: readonly string[];
  readonly isRedirection: boolean;
}

/**
 * complete writes the words for a completion script, which passes the name of the shell, and
 *
 * - for bash the part of the word that bash replaces, and the line up to the cursor,
 * - for zsh and fish the word at the cursor with its quotes, and the words between the program and the cursor.
 *
 * It writes the answer to standard output. The answer is empty if there is an error, or if it takes more than 500 ms. Standard
 * error stays empty: it is the terminal on which the line is typed.
 *
 * @param makeProgram returns the program for arguments.
 */
export async function complete(
  args: readonly string[],
  makeProgram: (args: readonly string[]) => Command,
  io: Io,
  interrupted: AbortSignal,
): Promise<void> {
  const [name, ...rest] = args;
  const shell = SHELLS.find((one) => one === name);
  if (shell === undefined) return;
  const request = requestOf(shell, rest);
  const home = io.env['HOME'] ?? '';
  const words = request.words.map((word) => word.replace(/^~(?=\/|$)/, home));
  const answer = request.isRedirection
    ? ({ kind: 'files', head: '' } as const)
    : await answerTo(readLine(makeProgram(words), words, request.current), io, interrupted);
  io.stdout.write(
    WRITE_ANSWER[shell](answer, request)
      .map((line) => `${line}\n`)
      .join(''),
  );
}

function requestOf(shell: Shell, [raw = '', ...rest]: readonly string[]): Request {
  if (shell !== 'bash') return { raw, current: unquoted(raw), words: rest, isRedirection: false };
  const { before, current, isRedirection } = splitWords(rest[0] ?? '');
  return { raw, current, words: before.slice(1), isRedirection };
}

/** Returns the answer, or {@link NOTHING} for an error or when the time is over. */
async function answerTo(line: TypedLine, { env }: Io, interrupted: AbortSignal): Promise<Answer> {
  const wait = waitOf(env);
  const over = new AbortController();
  const end = (): void => over.abort();
  interrupted.addEventListener('abort', end);
  const late = setTimeout(wait, NOTHING, { ref: false, signal: over.signal });
  const found = ask(line, wait, env, over.signal);
  try {
    return await Promise.race([found, late]);
  } catch {
    return NOTHING;
  } finally {
    over.abort();
    found.catch(() => {});
    late.catch(() => {});
    interrupted.removeEventListener('abort', end);
  }
}

/** Returns the milliseconds to wait. An invalid time counts as none, because its error has no place to go. */
function waitOf({ BTFCTL_COMPLETION_TIMEOUT: text }: NodeJS.ProcessEnv): number {
  try {
    return text === undefined || text === '' ? WAIT_MS : parseTime(text);
  } catch {
    return WAIT_MS;
  }
}

async function ask(
  line: TypedLine,
  timeout: number,
  env: NodeJS.ProcessEnv,
  interrupted: AbortSignal,
): Promise<Answer> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const io = { stdout: silent, stderr: silent, env };
  await using session = new Session(io, optionsOf(line, timeout), interrupted);
  return await completeLine(line, session);
}

/** Returns the options of a session from those on the line. */
function optionsOf(line: TypedLine, timeout: number): GlobalOptions {
  const texts: Partial<Record<(typeof TARGET)[number], string>> = {};
  for (const name of TARGET) {
    const value = valueOf(line, name);
    if (value !== undefined) texts[name] = value;
  }
  return { ...texts, output: 'table', quiet: true, timeout, color: 'never', pager: false };
}
