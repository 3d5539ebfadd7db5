/** Control characters (`\p{Cc}`), except line breaks and tabs. */
const CONTROLS = '\u0000-\u0008\u000B-\u001F\u007F-\u009F';

/** The characters that change the direction of writing (`\p{Bidi_Control}`). */
const DIRECTIONS = '\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069';

// V8 takes a millisecond to make the set of a property, in each process.
const UNSAFE_IN_LINES = new RegExp(`[${CONTROLS}${DIRECTIONS}]`, 'g');
const UNSAFE = new RegExp(`[\t\n${CONTROLS}${DIRECTIONS}]`, 'g');

/**
 * printable makes a name safe to print on a terminal. Names in the BTF of a file can be anything, including control
 * sequences of terminals.
 */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, '\uFFFD');
}

/** NameLine returns a name as a record of `-o name`. */
export type NameLine = (name: string) => string;

/** nameLine is the {@link NameLine} for people and for programs that read lines. */
export const nameLine: NameLine = (name) => `${printable(name)}\n`;

/** nameRecord is the {@link NameLine} of `-0`: no name has a NUL byte, so every other character is left in it. */
export const nameRecord: NameLine = (name) => `${name}\0`;

/** printableText is {@link printable} for text of several lines. It keeps line breaks and tabs. */
export function printableText(text: string): string {
  return text.replaceAll(UNSAFE_IN_LINES, '\uFFFD');
}

/**
 * messageText makes a message safe to print on standard error, as {@link printableText} does. Its later lines are indented, so that
 * a name with a line break cannot forge a message.
 */
export function messageText(message: string): string {
  return printableText(message).replaceAll('\n', '\n  ');
}

/** jsonText returns a value as JSON that is safe to print on a terminal. */
export function jsonText(value: unknown, indent?: number): string {
  return escapeControls(JSON.stringify(value, null, indent));
}

/**
 * escapeControls escapes the characters in JSON that `JSON.stringify` does not: control characters from U+007F on, which
 * YAML does not allow either, and those that change the direction of writing.
 */
export function escapeControls(json: string): string {
  return json.replaceAll(UNSAFE, (control) =>
    control === '\n' ? control : `\\u${(control.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

/** yamlText returns a value as YAML. It loads the library only here, because few users want YAML. */
export async function yamlText(value: unknown): Promise<string> {
  const { stringify } = await import('yaml');
  return printableText(stringify(value));
}
