import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

describe('the documents that are generated from tables', () => {
  const dir = mkdtempSync(join(tmpdir(), 'btfd-docs-'));
  afterAll(() => rmSync(dir, { recursive: true }));

  const generate = (...args: readonly string[]): [number | null, string] => {
    const script = join(ROOT, 'scripts/generate-docs.js');
    const { status, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
    return [status, stderr];
  };

  test('are current', () => {
    expect(generate('--check')).toEqual([0, '']);
  });

  test.each(['errors.md', 'loads.md', 'metrics.md', 'operations.md'])(
    'are generated again if a row is missing: %s',
    (name) => {
      cpSync(join(ROOT, 'docs'), dir, { recursive: true });
      const path = join(dir, name);
      const current = readFileSync(path, 'utf8');
      // The last row of the last table.
      writeFileSync(path, current.replace(/\n\|[^\n]*\n(?=\n<!-- end)/, '\n'));
      expect(generate('--check', dir)).toEqual([1, expect.stringContaining(`docs/${name} is not current`)]);
      expect(generate(dir)).toEqual([0, '']);
      expect(readFileSync(path, 'utf8')).toBe(current);
    },
  );
});
