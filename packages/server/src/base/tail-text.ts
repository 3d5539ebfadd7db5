const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** TailText is the end of a text, and whether that is not all of it. */
export interface TailText {
  readonly text: string;
  readonly cut: boolean;
}

/**
 * tailText decodes the end of a text whose bytes may be anything, such that its UTF-8 has at most
 * `maxBytes` bytes. What is no UTF-8 becomes U+FFFD, which takes three bytes for one.
 */
export function tailText(bytes: Uint8Array, maxBytes: number): TailText {
  const tail = lastBytes(bytes, maxBytes);
  const text = decoder.decode(tail);
  if (Buffer.byteLength(text) <= maxBytes) return { text, cut: tail.length < bytes.length };
  return { text: decoder.decode(lastBytes(Buffer.from(text), maxBytes)), cut: true };
}

/** The last bytes, without the rest of a character that begins before them. */
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
