import type { Rejection } from '@btfd/client';
import { BtfReadError, parseHeader, surveyBtf } from '@btfd/btf';
import { ExitCode } from '../error/exit-code.js';
import type { CheckOptions } from '../grammar/check.js';
import { refusalText } from '../output/refusal.js';
import { grouped } from '../output/numbers.js';
import type { Session } from '../session/session.js';
import { readLoadable } from '../source/read-loadable.js';
import { noteUnknown, unknownParts } from '../source/source.js';

/** check runs `btfctl check`. */
export async function check(
  session: Session,
  path: string,
  { adapt, log = false }: CheckOptions,
): Promise<number> {
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
      checked: 'BTF',
      accepted: rejection === null,
      ...(rejection === null ? {} : rejectionData(rejection)),
    },
    names: rejection === null ? [path] : [],
    text: () =>
      rejection === null
        ? acceptedText(session, path, btf, isObject)
        : refusalText(path, rejection, { colors: session.colors, isWhole: log || !session.onTerminal }),
  });
  if (rejection === null) return ExitCode.OK;
  const hint = orderHint(btf, rejection.log.text);
  if (hint !== null) session.note(`hint: ${hint}`);
  return ExitCode.REFUSED;
}

/** The kernel's answer is about the BTF alone. The loader or the verifier can still refuse the programs of the object. */
const NOT_CHECKED = '. Its programs and relocations were not checked: see btfctl compat';

function acceptedText({ colors }: Session, path: string, btf: Uint8Array, isObject: boolean): string {
  // A later kernel accepts types that btfctl cannot count.
  const { typeCount } = surveyBtf(btf);
  const types = typeCount === null ? '' : `${grouped(typeCount)} types in `;
  const size = `${types}${grouped(btf.length)} bytes`;
  return `${path}: ${colors.good('BTF accepted')}, ${size}${isObject ? NOT_CHECKED : ''}\n`;
}

/** The kernel's words about BTF of the other byte order: it reads the length of the header first. */
const OTHER_ORDER = /btf_header not found|Invalid magic/;

/** Returns a hint for BTF of the other byte order, which the log does not name; null if it is something else. */
function orderHint(btf: Uint8Array, log: string): string | null {
  if (!OTHER_ORDER.test(log)) return null;
  try {
    const { byteOrder } = parseHeader(btf);
    const target = byteOrder === 'big' ? 'bpfel' : 'bpfeb';
    return `the BTF is ${byteOrder}-endian, which the kernel is not: compile it with clang -target ${target}`;
  } catch (error) {
    if (error instanceof BtfReadError) return null;
    throw error;
  }
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
