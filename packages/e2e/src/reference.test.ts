import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const json = (...path: string[]): unknown => JSON.parse(readFileSync(join(ROOT, ...path), 'utf8'));

/** Returns the entry points that typedoc reads of a package, from the package's own options if it has any. */
function describedOf(folder: string): unknown {
  const own = join(folder, 'typedoc.json');
  if (existsSync(join(ROOT, own))) return Object(json(own)).entryPoints;
  return Object(json('packages/reference/typedoc.json')).packageOptions.entryPoints;
}

/** Returns the sources of the modules that a package exports. */
function importableOf(folder: string): string[] {
  const { exports }: { exports: Record<string, { types?: string } | string> } = Object(
    json(folder, 'package.json'),
  );
  return Object.values(exports).flatMap((target) => {
    const types = typeof target === 'string' ? undefined : target.types;
    return types === undefined ? [] : [types.replace('./dist/', 'src/').replace(/[.]d[.]ts$/, '.ts')];
  });
}

test.each(['packages/api', 'packages/btf', 'packages/client', 'packages/fleet', 'packages/server', 'native'])(
  'The API reference covers every module that %s exports',
  (folder) => {
    expect(Object(json('packages/reference/typedoc.json')).entryPoints).toContain(
      folder.replace(/^packages\//, '../').replace(/^native$/, '../../native'),
    );
    expect(describedOf(folder)).toEqual(importableOf(folder));
  },
);

test('@btfd/cli exports only schemas, so the API reference does not cover it', () => {
  expect(importableOf('packages/cli')).toEqual([]);
});
