import { nearNames } from '@btfd/btf';

/** Characters that a terminal may act on, or that end a line: controls, separators, and marks that turn text around. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** printable replaces the control characters of a text by escapes. The result is one line. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, escape);
}

/** printableLines is `printable` for a text of several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

function escape(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`;
}

/** TailText is the end of a text. */
export interface TailText {
  readonly text: string;
  /** Whether the beginning was cut off. */
  readonly cut: boolean;
}

/**
 * tailText decodes the end of a text, at most `maxBytes` bytes of UTF-8. Invalid bytes become U+FFFD, which takes three
 * bytes.
 */
export function tailText(bytes: Uint8Array, maxBytes: number): TailText {
  const tail = lastBytes(bytes, maxBytes);
  const text = decoder.decode(tail);
  if (Buffer.byteLength(text) <= maxBytes) return { text, cut: tail.length < bytes.length };
  return { text: decoder.decode(lastBytes(Buffer.from(text), maxBytes)), cut: true };
}

/** Returns the last bytes, without the rest of a character that begins before them. */
function lastBytes(bytes: Uint8Array, count: number): Uint8Array {
  let start = Math.max(0, bytes.length - count);
  if (start === 0) return bytes;
  const limit = Math.min(bytes.length, start + 3);
  while (start < limit && isContinuation(bytes[start])) start += 1;
  return bytes.subarray(start);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** More changes than this make another word, not a misspelt one. */
const MAX_CHANGES = 3;
/** No more names than this are listed in a message. */
const MAX_LISTED = 5;

/**
 * unknownName returns a message about an unknown name, such as `unknown key "max-tll"; did you mean max-ttl?`. If no
 * known name is near and there are only a few, it lists them.
 */
export function unknownName(noun: string, name: string, known: readonly string[]): string {
  const [near] = nearNames(name, known, MAX_CHANGES);
  const unknown = `unknown ${noun} ${JSON.stringify(name)}`;
  if (near !== undefined) return `${unknown}; did you mean ${near}?`;
  return known.length > MAX_LISTED ? unknown : `${unknown}: use ${known.join(', ')}`;
}
