import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const json = (...path: string[]): unknown => JSON.parse(readFileSync(join(ROOT, ...path), 'utf8'));

/** What typedoc reads of a package, from its own options where it has some. */
function describedOf(folder: string): unknown {
  const own = join(folder, 'typedoc.json');
  if (existsSync(join(ROOT, own))) return Object(json(own)).entryPoints;
  return Object(json('packages/reference/typedoc.json')).packageOptions.entryPoints;
}

/** The sources of what can be imported of a package. */
function importableOf(folder: string): string[] {
  const { exports }: { exports: Record<string, { types?: string } | string> } = Object(
    json(folder, 'package.json'),
  );
  return Object.values(exports).flatMap((target) => {
    const types = typeof target === 'string' ? undefined : target.types;
    return types === undefined ? [] : [types.replace('./dist/', 'src/').replace(/[.]d[.]ts$/, '.ts')];
  });
}

test.each(['packages/api', 'packages/btf', 'packages/client', 'packages/server', 'native'])(
  'The API reference has all that can be imported of %s',
  (folder) => {
    expect(Object(json('packages/reference/typedoc.json')).entryPoints).toContain(
      folder.replace(/^packages\//, '../').replace(/^native$/, '../../native'),
    );
    expect(describedOf(folder)).toEqual(importableOf(folder));
  },
);

test('btfctl has nothing to import but schemas, so the API reference has nothing of it', () => {
  expect(importableOf('packages/cli')).toEqual([]);
});
