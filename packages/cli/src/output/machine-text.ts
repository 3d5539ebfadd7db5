/**
 * jsonText is a value as JSON, with nothing in it that a terminal takes for more than text: `JSON.stringify` leaves the
 * controls above U+007F and those of the direction of writing as they are.
 */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, (control) =>
    control === '\n' ? control : `\\u${(control.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}
