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
