/** The keywords of C and of GNU C, which cannot be identifiers. */
const KEYWORDS =
  'asm auto break case char const continue default do double else enum extern float for goto if inline int long ' +
  'register restrict return short signed sizeof static struct switch typedef typeof union unsigned void volatile ' +
  'while _Alignas _Alignof _Atomic _Bool _Complex _Generic _Imaginary _Noreturn _Static_assert _Thread_local ' +
  '__asm__ __attribute__ __const __extension__ __inline __inline__ __int128 __restrict __signed__ __thread ' +
  '__typeof__ __volatile__ _Float16 _Float32 _Float32x _Float64 _Float64x _Float128 __bf16 __float80 __float128';

const UNDERSCORE = 95;

/** C_BYTES has for each byte of a name the byte of the identifier. Bytes that C does not accept become underscores. */
export const C_BYTES: Uint8Array = /* @__PURE__ */ Uint8Array.from({ length: 256 }, (_, byte) =>
  // Compilers accept most letters outside ASCII.
  byte === 0 || byte >= 128 || /\w/.test(String.fromCharCode(byte)) ? byte : UNDERSCORE,
);

/** The keywords by their length and their first byte. */
const BY_START = /* @__PURE__ */ keywordsByStart();

/** needsUnderscore reports whether a name with this first byte needs an underscore before it: if it is a digit. */
export function needsUnderscore(first: number): boolean {
  return first >= 48 && first <= 57;
}

/** isKeyword reports whether bytes from `start` to before `end` are a keyword of C. */
export function isKeyword(bytes: Uint8Array, start: number, end: number): boolean {
  const words = BY_START.get((end - start) * 256 + (bytes[start] ?? 0));
  return words !== undefined && words.some((word) => isWord(bytes, start, word));
}

function isWord(bytes: Uint8Array, start: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) if (bytes[start + i] !== word.charCodeAt(i)) return false;
  return true;
}

function keywordsByStart(): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const word of KEYWORDS.split(' ')) {
    const key = word.length * 256 + word.charCodeAt(0);
    found.set(key, [...(found.get(key) ?? []), word]);
  }
  return found;
}
