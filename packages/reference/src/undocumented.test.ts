import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { undocumented } from './undocumented.js';

/** Modules by their contents, each with its faults. */
const MODULES: readonly (readonly [name: string, module: string, misses: readonly string[]])[] = [
  ['a function without a comment', 'export function f(): void {}', ['1: f has no doc comment']],
  ['an interface without a comment', 'export interface I {}', ['1: I has no doc comment']],
  ['a function with one', '/** f does nothing. */\nexport function f(): void {}', []],
  [
    'a function that throws',
    '/** f fails. */\nexport function f(): void {\n  throw new Error();\n}',
    ['2: f throws, but has no @throws'],
  ],
  [
    'a function that says so',
    '/**\n * f throws.\n *\n * @throws Error always.\n */\nexport function f(): void {\n  throw new Error();\n}',
    [],
  ],
  [
    'a tag that names no class',
    '/**\n * f throws.\n *\n * @throws what g throws.\n */\nexport function f(): void {}',
    ['4: f: "@throws what g throws." names no class'],
  ],
  [
    'a function whose comment says that it fails',
    '/** f returns 1. It fails if the moon is full. */\nexport const f = (): number => 1;',
    ['2: f fails according to its comment, but has no @throws'],
  ],
  [
    'a function that calls one that throws',
    '/** f calls. */\nexport function f(): void {\n  g();\n}\nfunction g(): void {\n  throw new Error();\n}',
    ['2: f throws, but has no @throws'],
  ],
  [
    'a function that catches, and throws unknown errors again',
    '/** f catches. */\nexport function f(): void {\n  try {\n    throw new Error();\n  } catch (error) {\n    throw error;\n  }\n}',
    [],
  ],
  [
    'a function that returns a function that throws',
    '/** f returns a function. */\nexport const f = () => () => {\n  throw new Error();\n};',
    [],
  ],
  [
    'a method that says that it never rejects',
    '/** C is a class. */\nexport class C {\n  /** Closes. Never rejects. */\n  async close() {\n    throw new Error();\n  }\n}',
    [],
  ],
  [
    'public members, inherited ones too',
    '/** C is a class. */\nexport class C extends B {\n  get x() {\n    throw new Error();\n  }\n  #y() {\n    throw new Error();\n  }\n}\nclass B {\n  static make() {\n    throw new Error();\n  }\n  run() {\n    throw new Error();\n  }\n}',
    [
      '3: C.x throws, but has no @throws',
      '14: C.run throws, but has no @throws',
      '11: C.make throws, but has no @throws',
    ],
  ],
  [
    'overloads, of which the first has the comment',
    '/**\n * f throws.\n *\n * @throws Error always.\n */\nexport function f(x: string): void;\nexport function f(x: number): void;\nexport function f(): void {\n  throw new Error();\n}',
    [],
  ],
];

describe('The check of doc comments', () => {
  const dir = mkdtempSync(join(tmpdir(), 'btfd-comments-'));
  afterAll(() => rmSync(dir, { recursive: true }));
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, types: [] };
  const paths = MODULES.map(([name, module]) => {
    const path = join(dir, `${name.replaceAll(' ', '-')}.ts`);
    writeFileSync(path, module);
    return path;
  });
  // Only once, because the compiler takes seconds to read the library.
  const all = undocumented(paths, options);

  test.each(MODULES)('handles %s', (name, _, misses) => {
    const path = join(dir, `${name.replaceAll(' ', '-')}.ts`);
    const found = all.filter(({ file }) => file === path);
    expect(found.map(({ line, text }) => `${line}: ${text}`)).toEqual(misses);
  });

  test('rejects a file that does not exist', () => {
    expect(() => undocumented([join(dir, 'none.ts')], options)).toThrow('none.ts is not a module');
  });
});
