import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { BtfClient, Handle } from '@btfd/client';
import { CliError, usageError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { explainError } from '../error/explain-error.js';
import type { Session } from '../session/session.js';
import { type ObjectRef, parseSpecRef } from '../source/spec-ref.js';
import { lostError } from './load.js';

/** hold is what `btfctl hold` does. */
export async function hold(session: Session, object: string, words: readonly string[]): Promise<number> {
  await using handle = await open(await session.client(), objectRef(object), session.requestSignal());
  const { id } = handle.info;
  handle.lost.addEventListener('abort', () =>
    session.warn(explainError(lostError(id, handle.lost.reason)).message),
  );
  // Awaited, so that the handle stays open until then.
  return await runCommand(words, { ...session.env, BTF_ID: String(id) }, session.interrupted);
}

function objectRef(text: string): ObjectRef {
  const ref = parseSpecRef(/^\d+$/.test(text) ? `id:${text}` : text);
  if (ref.kind === 'file' || ref.node !== null) {
    throw usageError(`${text} is no object to hold`, 'give a BTF id, or the name of a module');
  }
  return ref.object;
}

async function open(client: BtfClient, object: ObjectRef, signal: AbortSignal): Promise<Handle> {
  if (object.kind === 'id') return client.getHandleById(object.id, { signal });
  return client.findHandle(({ isKernel, name }) => isKernel && name === object.name, { signal });
}

/** What `timeout` passes on. */
const PASSED = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const;

/** Ctrl-C and Ctrl-\. */
const TYPED: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT']);

/** Runs a command with this process's input and output, passes on signals, and answers its exit code. */
async function runCommand(
  [program = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
  interrupted: AbortSignal,
): Promise<number> {
  interrupted.throwIfAborted();
  let child: ChildProcess | null = null;
  // Each one, not the first alone: a shell or a debugger lives on, and the object is held as long.
  const pass = (signal: NodeJS.Signals): void => {
    // What is typed reaches the command by the terminal already.
    if (!TYPED.has(signal) || !process.stdin.isTTY) child?.kill(signal);
  };
  // Before the command runs, which can be before `spawn` is back: what nobody waits for ends this process.
  for (const signal of PASSED) process.on(signal, pass);
  try {
    child = spawn(program, args, { stdio: 'inherit', env });
    await once(child, 'exit');
    return exitCodeOf(child);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'ENOENT') throw new CliError(ExitCode.NO_COMMAND, `there is no command ${program}`);
    const message = error instanceof Error ? error.message : String(error);
    throw new CliError(ExitCode.NOT_EXECUTABLE, `cannot run ${program}: ${message}`);
  } finally {
    for (const signal of PASSED) process.off(signal, pass);
  }
}

/** As shells write the end by a signal. */
function exitCodeOf({ exitCode, signalCode }: ChildProcess): number {
  return signalCode === null ? (exitCode ?? ExitCode.FAILURE) : 128 + constants.signals[signalCode];
}
