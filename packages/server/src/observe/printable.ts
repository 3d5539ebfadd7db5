/** What a terminal may take for a command or lines for an end: controls, and the marks that turn text around. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const UNPRINTABLE_BUT_NEWLINE = new RegExp(`(?!\\n)${UNPRINTABLE.source}`, 'g');

/** printable writes a text's control characters as escapes, so that it is one line and no command. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, escape);
}

/** printableLines is `printable` for a text of several lines. */
export function printableLines(text: string): string {
  return text.replaceAll(UNPRINTABLE_BUT_NEWLINE, escape);
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
