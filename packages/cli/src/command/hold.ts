import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { BtfClient, Handle } from '@btfd/client';
import { CliError, isBtfError, notFound, usageError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { explainError } from '../error/explain-error.js';
import type { Session } from '../session/session.js';
import { type ObjectRef, parseSpecRef, underscoreHint } from '../source/spec-ref.js';
import { lostError } from './load.js';

/** hold runs `btfctl hold`. */
export async function hold(session: Session, object: string, words: readonly string[]): Promise<number> {
  if (words[0] === '') throw usageError('the command is empty');
  await using handle = await open(await session.client(), objectRef(object), session.requestSignal());
  const { id } = handle.info;
  handle.lost.addEventListener('abort', () =>
    session.warn(explainError(lostError(id, handle.lost.reason)).message),
  );
  // Awaited, so that the handle stays open until the command ends.
  return await runCommand(words, { ...session.env, BTF_ID: String(id) }, session.interrupted);
}

function objectRef(text: string): ObjectRef {
  const ref = parseSpecRef(text);
  if (ref.kind === 'file' || ref.node !== null) {
    throw usageError(`${text} is not an object that can be held`, 'use a BTF id or the name of a module');
  }
  return ref.object;
}

async function open(client: BtfClient, object: ObjectRef, signal: AbortSignal): Promise<Handle> {
  if (object.kind === 'id') return client.getHandleById(object.id, { signal });
  try {
    return await client.findHandle(({ isKernel, name }) => isKernel && name === object.name, { signal });
  } catch (error) {
    if (!isBtfError(error) || error.reason !== 'NO_MATCH') throw error;
    const hint = underscoreHint(object.name) ?? '`btfctl list` lists the objects';
    throw notFound(`the kernel has no BTF object named ${JSON.stringify(object.name)}`, hint);
  }
}

/** The signals that `timeout` passes on. */
const PASSED = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const;

/** The signals of Ctrl-C and Ctrl-\. */
const TYPED: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT']);

/** Runs a command with the input and output of this process, and passes signals on to it. Returns its exit code. */
async function runCommand(
  [program = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
  interrupted: AbortSignal,
): Promise<number> {
  interrupted.throwIfAborted();
  let child: ChildProcess | null = null;
  // Every signal, not only the first: a shell or a debugger survives it, and the object is held until that ends.
  const pass = (signal: NodeJS.Signals): void => {
    // The terminal sends the signals of keys to the command itself.
    if (!TYPED.has(signal) || !process.stdin.isTTY) child?.kill(signal);
  };
  // Before `spawn`, because the command may run before it returns, and a signal without a listener ends this process.
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

/** Returns the exit code as shells do, which is 128 and the number of a signal. */
function exitCodeOf({ exitCode, signalCode }: ChildProcess): number {
  return signalCode === null ? (exitCode ?? ExitCode.FAILURE) : 128 + constants.signals[signalCode];
}
