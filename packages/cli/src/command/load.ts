import type { Handle } from '@btfd/client';
import { CliError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { explainError } from '../error/explain-error.js';
import type { Session } from '../session/session.js';
import { readLoadable } from '../source/read-btf-file.js';

interface LoadOptions {
  readonly adapt?: boolean;
}

/** load is what `btfctl load` does. */
export async function load(session: Session, path: string, { adapt }: LoadOptions): Promise<number> {
  const bytes = await readLoadable(path, session.interrupted);
  const client = await session.client();
  await using handle = await client.loadHandle(bytes, {
    adaptToKernel: adapt ?? false,
    signal: session.interrupted,
    timeout: session.options.timeout,
  });
  const { id, size } = handle.info;
  await session.show({
    data: { file: path, id, size },
    names: [`id:${id}`],
    text: () => `loaded ${path} as BTF id ${id}, ${size.toLocaleString('en-US')} bytes\n`,
  });
  await session.out.flush();
  session.note('held until Ctrl-C');
  await endOf(handle, session.interrupted);
  return ExitCode.OK;
}

/** Waits until the user wants an end. @throws CliError where the daemon lets go of the handle before. */
async function endOf({ lost, info }: Handle, interrupted: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    // A promise alone does not keep a process alive, and a client doesn't either.
    const alive = setInterval(() => {}, 60_000);
    const end = (settle: () => void): void => {
      clearInterval(alive);
      settle();
    };
    interrupted.addEventListener('abort', () => end(resolve));
    lost.addEventListener('abort', () => end(() => reject(lostError(info.id, lost.reason))));
    if (interrupted.aborted) end(resolve);
    if (lost.aborted) end(() => reject(lostError(info.id, lost.reason)));
  });
}

/** lostError tells that the daemon let go of an object that was to be held. */
export function lostError(id: number, reason: unknown): CliError {
  return new CliError(
    ExitCode.FAILURE,
    `BTF id ${id} is not held any more: ${explainError(reason).message}`,
    'was the daemon restarted, or the way to it cut?',
  );
}
