import type { Rejection } from '@btfd/client';
import { countTypes } from '@btfd/btf';
import { ExitCode } from '../error/exit-code.js';
import type { CheckOptions } from '../grammar/check.js';
import { printableText } from '../output/safe-text.js';
import type { Session } from '../session/session.js';
import { readLoadable } from '../source/read-btf-file.js';

/** check runs `btfctl check`. */
export async function check(session: Session, path: string, { adapt }: CheckOptions): Promise<number> {
  const bytes = await readLoadable(path, session.interrupted);
  const client = await session.client();
  const { limits } = await client.serverInfo({ signal: session.requestSignal() });
  const { handle, rejection } = await client.tryLoadHandle(bytes, {
    adaptToKernel: adapt ?? false,
    logSize: limits.maxLogBytes,
    signal: session.interrupted,
    timeout: session.options.timeout,
  });
  await handle?.close();
  await session.show({
    data: {
      file: path,
      accepted: rejection === null,
      ...(rejection === null ? {} : rejectionData(rejection)),
    },
    names: rejection === null ? [path] : [],
    text: () =>
      rejection === null ? acceptedText(session, path, bytes) : refusedText(session, path, rejection),
  });
  return rejection === null ? ExitCode.OK : ExitCode.REFUSED;
}

function acceptedText({ colors }: Session, path: string, bytes: Uint8Array): string {
  const types = countTypes(bytes).toLocaleString('en-US');
  return `${path}: ${colors.good('accepted')}, ${types} types in ${bytes.length.toLocaleString('en-US')} bytes\n`;
}

function refusedText({ colors }: Session, path: string, { errnoName, log }: Rejection): string {
  const missing = log.truncated ? colors.faint('(the beginning of the log is missing)\n') : '';
  const text = printableText(log.text.trimEnd());
  return `${path}: ${colors.bad('refused')} with ${errnoName}\n${missing}${text}${text === '' ? '' : '\n'}`;
}

function rejectionData({ errno, errnoName, log }: Rejection): object {
  return {
    errno,
    errno_name: errnoName,
    log: log.text,
    log_truncated: log.truncated,
    ...(log.trueSize === null ? {} : { log_true_size: log.trueSize }),
  };
}
