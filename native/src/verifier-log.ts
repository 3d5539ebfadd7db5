/** VerifierLog is what the kernel's verifier wrote about a BTF that it refused. */
export interface VerifierLog {
  /** The text without its NUL: bytes, because names in it are the sender's. UTF-8 as a rule. */
  readonly text: Uint8Array;
  /** Whether text is missing: the head since Linux 6.4, before that the tail. */
  readonly truncated: boolean;
  /** Bytes the whole log needs with its NUL: a `logSize` that holds it all. Null before Linux 6.4, which doesn't tell. */
  readonly trueSize: number | null;
}

/** @param trueSize - 0 where the kernel didn't write it */
export function verifierLog(text: Uint8Array | null, trueSize: number, logSize: number): VerifierLog | null {
  if (text === null || (text.length === 0 && trueSize === 0)) return null;
  // Without a true size, a full buffer (a NUL takes the last byte) is the only sign.
  if (trueSize === 0) return { text, truncated: text.length >= logSize - 1, trueSize: null };
  return { text, truncated: trueSize > logSize, trueSize };
}
