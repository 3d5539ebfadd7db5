import type { StringTable } from '../strings.js';

/**
 * latin1At reads a string byte by byte, so that different bytes never read alike.
 *
 * @param limit the most bytes to read; the rest is left out.
 */
export function latin1At(strings: StringTable, offset: number, limit: number): string {
  let text = '';
  for (let at = offset; at < offset + limit; at++) {
    const byte = strings.byteAt(at);
    if (byte === 0) break;
    text += String.fromCharCode(byte);
  }
  return text;
}
