import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

const SCRIPT = fileURLToPath(new URL('../../../scripts/lint-prose.js', import.meta.url));

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lint-prose-'));
  execFileSync('git', ['init', '-q', folder]);
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Runs the script over files, and returns its lines and its exit status. */
function lint(files: Record<string, string>, ...args: string[]): { lines: string[]; status: number | null } {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const { stdout, status } = spawnSync('node', [SCRIPT, ...args], { cwd: folder, encoding: 'utf8' });
  return { lines: stdout.split('\n').filter((line) => line !== ''), status };
}

describe('lint:prose', () => {
  test('finds each word of its list', () => {
    const wrong = {
      'What waits is served.': 'What waits',
      'It waits. Who calls gets it.': 'Who calls',
      'Two cases:\n\n- Whoever calls\n': 'Whoever calls',
      'This is no address.': 'is no address',
      'These are no addresses.': 'are no addresses',
      'A split BTF is none.': 'is none',
      'It tells the size.': 'tells',
      'It is told the size.': 'told',
      'It can tell the size.': 'tell',
      'It answers the size.': 'answers',
      'It begins anew.': 'anew',
      'The text behind the comma.': 'behind',
      'All besides this one.': 'besides',
      'It stops by itself.': 'by itself',
      'Both are read alike.': 'alike',
      'It works so far as known.': 'so far as',
    };
    const texts = Object.keys(wrong).map((text, index) => [`${index + 10}.md`, `${text}\n`]);
    const { lines, status } = lint(Object.fromEntries(texts));
    expect(lines).toEqual(Object.values(wrong).map((found) => expect.stringContaining(found)));
    expect(status).toBe(1);
  });

  test('passes text that uses the same words otherwise', () => {
    const clean = [
      'There is no address, and there are no names.',
      'This is no longer needed, and is no more than 5.',
      'It is none of these.',
      'What is BTF?',
      'Who can load?',
      'It runs behind a TLS proxy, and leaves nothing behind.',
      'The caller learns what waits, and who waits.',
      'Run `what tells` or see [this](tells/besides.md).',
      '```sh\nWhat tells\n```',
    ];
    expect(lint({ 'a.md': clean.join('\n\n') })).toEqual({ lines: [], status: 0 });
  });

  test('finds words that stand on two lines, and names the line of the first', () => {
    const { lines } = lint({ 'a.ts': '\n/**\n * The address is\n * no name.\n */\n' });
    expect(lines).toEqual([
      expect.stringMatching(/^a[.]ts:3: "The address is no name[.]" — write "is not a/),
    ]);
  });

  test('reads the prose of each kind of file', () => {
    const files = {
      '01.ts': '// It tells.\n',
      '02.ts': '/** @throws Error Who tells. */\n',
      '03.ts': "export const A = 'it tells';\n",
      '04.ts': 'export const A = `${1} it tells ${2}`;\n',
      '05.js': '// It tells.\n',
      '06.test.ts': "test('it tells', () => {});\n",
      '07.test.ts': "test.each([1])('it tells', () => {});\n",
      '08.test.ts': 'describe(`it tells`, () => {});\n',
      '09.cc': '// It tells.\n',
      '10.h': '/* It tells. */\n',
      '11.cc': 'auto a = "it tells";\n',
      '11b.c': '// It tells.\n',
      '12.proto': '// It tells.\n',
      '13.sh': 'true # It tells.\n',
      '14.py': '"""It tells."""\n',
      '15.yaml': 'a: 1 # It tells.\n',
      '16.service': '# It tells.\n',
      '17.schema.json': '{ "description": "It tells." }\n',
      '18.md': '| It tells |\n| --- |\n',
      '19.md': '## It tells\n',
      '20/testing/a.js': "export const A = 'it tells';\n",
      Containerfile: '# It tells.\n',
    };
    const { lines } = lint(files);
    expect(lines.filter((line) => line.includes('tells'))).toEqual([
      expect.stringMatching(/^01/),
      expect.stringMatching(/^02.*Who tells.* begin with/),
      expect.stringMatching(/^02.*Who tells.* write "return"/),
      ...Object.keys(files)
        .slice(2)
        .map((name) => expect.stringContaining(`${name}:1: "`)),
    ]);
  });

  test('leaves out code, strings of tests, and files that others wrote', () => {
    const clean = {
      'a.ts': "export const tells = { 'tells': /it tells/ };\n// Call `it tells`.\n//     it tells\n",
      'a.test.ts': "const told = 'it tells';\n",
      'a/src/testing/a.ts': "export const A = 'it tells';\n",
      'src/gen/a.ts': '// It tells.\n',
      'testdata/a.md': 'It tells.\n',
      'dist/a.js': '// It tells.\n',
      'pnpm-lock.yaml': '# It tells.\n',
    };
    expect(lint(clean)).toEqual({ lines: [], status: 0 });
  });

  test('counts for each package, of the given paths', () => {
    const text = 'It tells. It answers.\n';
    const files = { 'a.md': text, 'docs/a.md': text, 'packages/a/src/b/c.md': text, 'left-out/a.md': text };
    expect(lint(files, '--count', 'a.md', 'docs', 'packages')).toEqual({
      lines: ['     2 (root)', '     2 docs', '     2 packages/a', '     6 in all'],
      status: 1,
    });
  });
});
