import { expect, test } from '@jest/globals';
import { jsonText, printable, printableText } from './safe-text.js';

test('JSON has no control characters of terminals, and keeps its meaning', () => {
  const value = { name: 'a\u009B31mb\u202Ec\u001B]0;own\u0007\n', list: [1, 'é'] };
  for (const indent of [undefined, 2]) {
    const text = jsonText(value, indent);
    expect(text).toMatch(/^[^\p{Cc}\p{Bidi_Control}]*(?:\n[^\p{Cc}\p{Bidi_Control}]*)*$/u);
    expect(JSON.parse(text)).toEqual(value);
  }
});

test('text of several lines keeps its line breaks and tabs, but no other control characters', () => {
  expect(printableText('a\tb\n\u001B]0;x\u0007\u009B')).toBe('a\tb\n�]0;x��');
  expect(printable('a\tb\n')).toBe('a�b�');
});
