/**
 * printable makes a name harmless for a terminal: names in BTF of a file can be anything, also what a terminal
 * takes for a command.
 */
export function printable(text: string): string {
  // Controls, and what turns the direction of writing.
  return text.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, '\uFFFD');
}

/** printableText is {@link printable} for text of many lines, whose line breaks and tabs stay. */
export function printableText(text: string): string {
  return text.replaceAll(/(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu, '\uFFFD');
}

/** jsonText is a value as JSON, with nothing in it that a terminal takes for more than text. */
export function jsonText(value: unknown, indent?: number): string {
  return escapeControls(JSON.stringify(value, null, indent));
}

/**
 * escapeControls escapes in JSON what `JSON.stringify` leaves as it is: the controls above U+007F, which YAML does not
 * allow either, and those of the direction of writing.
 */
export function escapeControls(json: string): string {
  return json.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, (control) =>
    control === '\n' ? control : `\\u${(control.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

/** yamlText is a value as YAML. What writes it is loaded here, as hardly anyone asks for it. */
export async function yamlText(value: unknown): Promise<string> {
  const { stringify } = await import('yaml');
  return printableText(stringify(value));
}
