import { isNativeError } from 'node:util/types';

/** As much of a stranger's text as a message shows. */
const MAX_SHOWN = 300;

/** oneLine returns a text or an error of a stranger as one line of printable ASCII characters, cut to 300, for messages. */
export function oneLine(value: unknown): string {
  const text = isNativeError(value) ? value.message : String(value);
  const line = text
    .slice(0, 4 * MAX_SHOWN)
    .replaceAll(/[^!-~]+/g, ' ')
    .trim();
  return line.length <= MAX_SHOWN ? line : `${line.slice(0, MAX_SHOWN)}...`;
}
