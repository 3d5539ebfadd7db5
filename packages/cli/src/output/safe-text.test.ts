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

test('the characters that are replaced are those with the Unicode properties', () => {
  for (let code = 0; code <= 0x10_ffff; code++) {
    const character = String.fromCodePoint(code);
    const unsafe = /[\p{Cc}\p{Bidi_Control}]/u.test(character);
    const expected = unsafe ? '\uFFFD' : character;
    if (printable(character) !== expected) throw new Error(`printable: ${code.toString(16)}`);
    const kept = character === '\n' || character === '\t' ? character : expected;
    if (printableText(character) !== kept) throw new Error(`printableText: ${code.toString(16)}`);
  }
});

test('text of several lines keeps its line breaks and tabs, but no other control characters', () => {
  expect(printableText('a\tb\n\u001B]0;x\u0007\u009B')).toBe('a\tb\n�]0;x��');
  expect(printable('a\tb\n')).toBe('a�b�');
});
