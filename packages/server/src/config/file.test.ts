import { describe, expect, test } from '@jest/globals';
import { parseConfig } from './file.js';
import { SETTINGS } from './settings.js';

const parse = (text: string) => parseConfig(text, 'f.yaml', SETTINGS);

describe('A file of settings', () => {
  test('returns texts as they are written, with their lines', () => {
    const { given, problems } = parse(
      [
        '# comment',
        'max-tokens: 0x10 # more',
        'listen:',
        '  - unix:/a',
        '  - "[::1]:80"',
        'insecure: yes',
        '',
      ].join('\n'),
    );
    expect(problems).toEqual([]);
    expect(Object.fromEntries(given)).toEqual({
      'max-tokens': { texts: ['0x10'], origin: 'f.yaml:2', subject: 'f.yaml:2: max-tokens' },
      listen: { texts: ['unix:/a', '[::1]:80'], origin: 'f.yaml:3', subject: 'f.yaml:3: listen' },
      insecure: { texts: ['yes'], origin: 'f.yaml:6', subject: 'f.yaml:6: insecure' },
    });
  });

  test.each(['', '# nothing\n', '---\n', '\n\n'])('may be empty: %j', (text) => {
    expect(parse(text)).toEqual({ given: new Map(), problems: [] });
  });

  test('accepts one value for a list', () => {
    expect(parse('listen: unix:/a').given.get('listen')?.texts).toEqual(['unix:/a']);
  });

  test.each([
    ['max-tll: 30m', 'f.yaml:1: unknown key "max-tll"; did you mean max-ttl?'],
    ['\n\nfrobnicate: 1', 'f.yaml:3: unknown key "frobnicate"'],
    ['__proto__: 1', 'f.yaml:1: unknown key "__proto__"'],
    ['[a, b]: 1', 'f.yaml:1: unknown key "[\\"a\\",\\"b\\"]"'],
    ['max-ttl:', 'f.yaml:1: max-ttl: expected one value'],
    ['max-ttl: [1s]', 'f.yaml:1: max-ttl: expected one value'],
    ['max-ttl: {a: 1s}', 'f.yaml:1: max-ttl: expected one value'],
    ['listen: {a: 1s}', 'f.yaml:1: listen: expected a value or a list of values'],
    ['listen: [[unix:/a]]', 'f.yaml:1: listen: expected a value or a list of values'],
    ['max-ttl: &a 1s\nmin-ttl: *a', 'f.yaml:2: min-ttl: expected one value'],
    ['max-ttl: 1s\nmin-ttl: 1s\nmax-ttl: 2s', 'f.yaml:3: Map keys must be unique'],
    ['- max-ttl', 'f.yaml:1: expected a map of settings, such as "max-ttl: 30m"'],
    ['max-ttl', 'f.yaml:1: expected a map of settings, such as "max-ttl: 30m"'],
    ['a: b: c', 'f.yaml:1: Nested mappings are not allowed in compact mappings'],
    ['max-ttl: 1s\n\tmin-ttl: 1s', 'f.yaml:2: '],
    ['max-ttl: 1s\n---\nmin-ttl: 1s', 'f.yaml:2: Source contains multiple documents'],
    ['max-ttl: "1s', 'f.yaml:1: Missing closing "quote'],
  ])('%j is refused with line and reason', (text, message) => {
    const { problems } = parse(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(message);
  });

  test('reports all its problems', () => {
    expect(parse('a: 1\nmax-ttl: []\nb: 1').problems).toEqual([
      'f.yaml:1: unknown key "a"',
      'f.yaml:2: max-ttl: expected one value',
      'f.yaml:3: unknown key "b"',
    ]);
  });
});
