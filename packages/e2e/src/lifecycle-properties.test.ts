import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const DOCS = new URL('../../../docs/lifecycle.md', import.meta.url);
const PACKAGES = fileURLToPath(new URL('../../', import.meta.url));

/** Returns the numbers of the properties that docs/lifecycle.md states. */
function stated(): string[] {
  return [...readFileSync(DOCS, 'utf8').matchAll(/^- \*\*(\w+)\*\* /gm)].map(([, number = '']) => number);
}

/** Returns the numbers in the titles of tests. */
function tested(): Set<string> {
  const files = readdirSync(PACKAGES, { recursive: true, encoding: 'utf8' });
  const tests = files.filter((file) => /^\w+\/src\/.*\.test\.ts$/.test(file));
  const texts = tests.map((file) => readFileSync(`${PACKAGES}${file}`, 'utf8'));
  return new Set(
    texts.flatMap((text) => [...text.matchAll(/\[([A-Z]\d+)\]/g)].map(([, number = '']) => number)),
  );
}

test('The tests name exactly the properties that docs/lifecycle.md states', () => {
  expect(stated().length).toBeGreaterThan(30);
  expect([...tested()].toSorted()).toEqual(stated().toSorted());
});
