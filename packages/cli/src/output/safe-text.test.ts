import { expect, test } from '@jest/globals';
import { jsonText } from './safe-text.js';

test('JSON has no control that a terminal acts on, and means the same', () => {
  const value = { name: 'a\u009B31mb\u202Ec\u001B]0;own\u0007\n', list: [1, 'é'] };
  for (const indent of [undefined, 2]) {
    const text = jsonText(value, indent);
    expect(text).toMatch(/^[^\p{Cc}\p{Bidi_Control}]*(?:\n[^\p{Cc}\p{Bidi_Control}]*)*$/u);
    expect(JSON.parse(text)).toEqual(value);
  }
});
