import { CliError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { readFile } from './read-file.js';

/** Characters around bytes in the output of bpftool, also in its JSON. */
const SEPARATORS = /[\s,"[\]]+/;

/** A word of one or more bytes. */
const BYTES = /^(?:0x)?(?:[\da-f]{2})+$/i;

/**
 * readBytes reads a file of bytes.
 *
 * @param isHex whether the file is hexadecimal text: `01 ff`, `01ff`, `0x01 0xff` or `["0x01","0xff"]`.
 * @throws CliError NOT_FOUND if there is no such file; FAILURE if it cannot be read, or is not hexadecimal.
 */
export async function readBytes(path: string, isHex: boolean, interrupted: AbortSignal): Promise<Uint8Array> {
  const bytes = await readFile(path, interrupted, () => {});
  return isHex ? bytesOfHex(new TextDecoder().decode(bytes)) : bytes;
}

function bytesOfHex(text: string): Uint8Array {
  const words = text.split(SEPARATORS).filter((word) => word !== '');
  const wrong = words.find((word) => !BYTES.test(word));
  if (wrong !== undefined) {
    const message = `${JSON.stringify(wrong.slice(0, 40))} is not hexadecimal`;
    throw new CliError(ExitCode.FAILURE, message, 'use two digits for each byte, such as 01 ff');
  }
  const digits = words.map((word) => word.replace(/^0x/i, '')).join('');
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    parseInt(digits.slice(i * 2, i * 2 + 2), 16),
  );
}
