/** What a terminal may take for a command or lines for an end: controls, separators, marks that turn text around. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** printable writes a text's control characters as escapes, so that it is one line and no command. */
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
