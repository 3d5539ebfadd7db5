import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { BtfClient, Handle } from '@btfd/client';
import { CliError, usageError } from '../cli-error.js';
import { ExitCode } from '../exit-code.js';
import { explainError } from '../explain-error.js';
import type { Session } from '../session.js';
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

/** Runs a command with this process's input and output, passes on signals, and answers its exit code. */
async function runCommand(
  [program = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
  interrupted: AbortSignal,
): Promise<number> {
  interrupted.throwIfAborted();
  const child = spawn(program, args, { stdio: 'inherit', env });
  // Each one, not the first alone: a shell or a debugger lives on, and the object is held as long.
  const pass = (signal: NodeJS.Signals): void => {
    // Ctrl-C reaches the command by the terminal already.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  process.on('SIGINT', pass).on('SIGTERM', pass);
  try {
    await once(child, 'exit');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'ENOENT') throw new CliError(ExitCode.NO_COMMAND, `there is no command ${program}`);
    const message = error instanceof Error ? error.message : String(error);
    throw new CliError(ExitCode.NOT_EXECUTABLE, `cannot run ${program}: ${message}`);
  } finally {
    process.off('SIGINT', pass).off('SIGTERM', pass);
  }
  // As shells write the end by a signal.
  if (child.signalCode !== null) return 128 + constants.signals[child.signalCode];
  return child.exitCode ?? ExitCode.FAILURE;
}
