import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const SOURCES = dirname(fileURLToPath(import.meta.url));

// The type checker cannot find these: it knows the names of Node, which the tests use.
test('no published source uses anything that a browser lacks', () => {
  const published = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.startsWith('testing'),
  );
  expect(published.length).toBeGreaterThan(15);
  const foreign = published.filter((path) =>
    /\b(Buffer|process|require|setImmediate|__dirname)\b|'node:/.test(
      readFileSync(join(SOURCES, path), 'utf8'),
    ),
  );
  expect(foreign).toEqual([]);
});
