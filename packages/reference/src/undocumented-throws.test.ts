import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { undocumentedThrows } from './undocumented-throws.js';

const dir = mkdtempSync(join(tmpdir(), 'undocumented-throws-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** Finds the functions of a module, with the calls that lead to the `throw`. */
function found(source: string): string[] {
  const entry = join(dir, 'index.ts');
  writeFileSync(entry, source);
  return undocumentedThrows([entry], { noLib: true, types: [] }).map(({ name, fault }) =>
    `${name} ${fault}`.replace(/ throws(?:, through (.*))?: document it with @throws$/, ' $1').trimEnd(),
  );
}

const INNER = "function inner(): void { throw new Error('no'); }\n";

describe('undocumentedThrows finds', () => {
  test.each([
    ['a function that throws', "export function a() { throw new Error('no'); }", 'a'],
    [
      'a function that calls one that throws',
      `${INNER}export function a() { if (true) inner(); }`,
      'a inner',
    ],
    [
      'a function that makes an object whose constructor throws',
      "class B { constructor() { throw new Error('no'); } }\nexport function a() { return new B(); }",
      'a B',
    ],
    ['a method', `${INNER}export class A { b() { inner(); } }`, 'A.b inner'],
    ['a getter', `${INNER}export class A { get b() { inner(); return 1; } }`, 'A.b inner'],
    ['a constructor', `${INNER}export class A { constructor() { inner(); } }`, 'A.constructor inner'],
    [
      'a @throws that names no error',
      '/** @throws what b throws. */\nexport function a() { }',
      'a has "@throws what b throws.": begin with the name of the error',
    ],
    ['a throw in a catch', 'export function a() { try { } catch (error) { throw error; } }', 'a'],
    [
      'a throw in a try without a catch',
      `${INNER}export function a() { try { inner(); } finally { } }`,
      'a inner',
    ],
  ])('%s', (_, source, name) => {
    expect(found(source)).toEqual([name]);
  });
});

describe('undocumentedThrows passes', () => {
  test.each([
    ['a function with @throws', `${INNER}/** @throws Error always. */\nexport function a() { inner(); }`],
    [
      'a function whose overload has @throws',
      `${INNER}/** @throws Error always. */\nexport function a(): void;\nexport function a() { inner(); }`,
    ],
    ['a function that catches', `${INNER}export function a() { try { inner(); } catch { } }`],
    ['a throw in a callback', `${INNER}export function a() { return () => inner(); }`],
    ['a function that is not exported', `${INNER}export function a() { }`],
    [
      'private and internal methods',
      `${INNER}export class A {\n#b() { inner(); }\n/** @internal */\nc() { inner(); }\n}`,
    ],
    [
      'a rejection that is caught',
      `${INNER}export async function a() { await b().catch(() => {}); }\nasync function b() { inner(); }`,
    ],
    ['a function that says so', `${INNER}/** Never throws. */\nexport function a() { inner(); }`],
    ['a recursive function', 'export function a() { a(); }'],
  ])('%s', (_, source) => {
    expect(found(source)).toEqual([]);
  });
});
