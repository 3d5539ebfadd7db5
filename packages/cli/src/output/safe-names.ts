import { parseHeader, Spec } from '@btfd/btf';

const SPACE = 0x20;
const DELETE = 0x7f;
const QUESTION_MARK = 0x3f;

/**
 * withSafeNames returns a spec without control characters in its names, each of which becomes a `?`. A name with a line break
 * would otherwise forge lines of a dump. The kernel refuses such names, except in tags, but a file can have any.
 *
 * @returns the spec itself if it has no such names, as that of every kernel.
 */
export function withSafeNames(spec: Spec): Spec {
  const base = spec.base === null ? null : withSafeNames(spec.base);
  const { offset, length } = parseHeader(spec.bytes).strings;
  const isSafe = !spec.bytes.subarray(offset, offset + length).some(isControl);
  if (isSafe && base === spec.base) return spec;
  const bytes = isSafe ? spec.bytes : spec.bytes.slice();
  if (!isSafe) replaceControls(bytes.subarray(offset, offset + length));
  return Spec.parse(bytes, { base });
}

/** withoutControls replaces the control characters of C that a daemon printed, except line breaks and tabs, which no name in C has. */
export function withoutControls(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n\t]/gu, '?');
}

/** A zero ends each name. */
function isControl(byte: number): boolean {
  return (byte < SPACE && byte !== 0) || byte === DELETE;
}

function replaceControls(strings: Uint8Array): void {
  for (const [at, byte] of strings.entries()) if (isControl(byte)) strings[at] = QUESTION_MARK;
}
