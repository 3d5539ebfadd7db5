import type { Handle } from '@btfd/client';
import { CliError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { explainError } from '../error/explain-error.js';
import type { LoadOptions } from '../grammar/load.js';
import { makeColors } from '../output/colors.js';
import { refusalText } from '../output/refusal.js';
import { grouped } from '../output/numbers.js';
import type { Session } from '../session/session.js';
import { readLoadable } from '../source/read-loadable.js';
import { noteUnknown, unknownParts } from '../source/source.js';

/** load runs `btfctl load`. */
export async function load(
  session: Session,
  path: string,
  { adapt, log = false }: LoadOptions,
): Promise<number> {
  const { btf, isObject } = await readLoadable(path, session.interrupted);
  noteUnknown(unknownParts(btf), path, session.noteOnce);
  const client = await session.client();
  const { limits } = await client.serverInfo({ signal: session.requestSignal() });
  const { handle: loaded, rejection } = await client.tryLoadHandle(btf, {
    adaptToKernel: adapt ?? isObject,
    logSize: limits.maxLogBytes,
    signal: session.interrupted,
    timeout: session.options.timeout,
  });
  if (rejection !== null) {
    const isWhole = log || !session.errorsOnTerminal;
    session.warn(refusalText(path, rejection, { colors: makeColors(false), isWhole }).trimEnd());
    return ExitCode.REFUSED;
  }
  await using handle = loaded;
  const { id, size } = handle.info;
  await session.show({
    data: { file: path, id, size },
    names: [`id:${id}`],
    text: () => `loaded ${path} as BTF id ${id}, ${grouped(size)} bytes\n`,
  });
  await session.out.flush();
  session.note('held until Ctrl-C');
  await endOf(handle, session.interrupted);
  return ExitCode.OK;
}

/** Waits until the user ends the command. @throws CliError if the daemon drops the handle before that. */
async function endOf({ lost, info }: Handle, interrupted: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    // Neither a promise nor a client keeps the process alive.
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

/** lostError returns the error for an object that the daemon dropped while it was held. */
export function lostError(id: number, reason: unknown): CliError {
  return new CliError(
    ExitCode.FAILURE,
    `BTF id ${id} is not held any more: ${explainError(reason).message}`,
    'the daemon may have been restarted, or the connection lost: `btfctl info` shows whether it runs',
  );
}
