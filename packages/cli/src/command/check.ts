import type { Rejection } from '@btfd/client';
import { countTypes } from '@btfd/btf';
import { ExitCode } from '../error/exit-code.js';
import type { CheckOptions } from '../grammar/check.js';
import { printableText } from '../output/safe-text.js';
import type { Session } from '../session/session.js';
import { readLoadable } from '../source/read-loadable.js';
import { noteUnknown, unknownParts } from '../source/source.js';

/** check runs `btfctl check`. */
export async function check(session: Session, path: string, { adapt }: CheckOptions): Promise<number> {
  const { btf, isObject } = await readLoadable(path, session.interrupted);
  noteUnknown(unknownParts(btf), path, session.noteOnce);
  const client = await session.client();
  const { limits } = await client.serverInfo({ signal: session.requestSignal() });
  const { handle, rejection } = await client.tryLoadHandle(btf, {
    adaptToKernel: adapt ?? isObject,
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
      rejection === null ? acceptedText(session, path, btf) : refusedText(session, path, rejection),
  });
  return rejection === null ? ExitCode.OK : ExitCode.REFUSED;
}

/** The kernel's answer is about the BTF alone. A program that refers to it can still be refused. */
const NOT_CHECKED = '(programs and CO-RE relocations are not checked)';

function acceptedText({ colors }: Session, path: string, btf: Uint8Array): string {
  const size = `${countTypes(btf).toLocaleString('en-US')} types in ${btf.length.toLocaleString('en-US')} bytes`;
  return `${path}: ${colors.good('BTF accepted')} ${NOT_CHECKED}, ${size}\n`;
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
