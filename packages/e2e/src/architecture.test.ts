import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const ARCHITECTURE = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
const FOLDERS = [
  '.',
  'native',
  'examples',
  ...readdirSync(join(ROOT, 'packages')).map((name) => `packages/${name}`),
];

/** The dependencies of the package in a folder, with their versions. */
function dependenciesOf(folder: string): [name: string, version: string][] {
  const manifest: unknown = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
  return ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'].flatMap((field) => {
    const listed: unknown = Object.entries(Object(manifest)).find(([name]) => name === field)?.[1];
    return Object.entries(Object(listed)).map(([name, version]): [string, string] => [name, String(version)]);
  });
}

/** The cells of each row of the tables of a part of ARCHITECTURE.md. */
function rowsOf(title: string): string[][] {
  const [, part = ''] = ARCHITECTURE.split(`${title}\n`);
  const [own = ''] = part.split('\n## ');
  return [...own.matchAll(/^\| (`.*) \|$/gm)].map(([, row = '']) =>
    row.split('|').map((cell) => cell.trim()),
  );
}

/** The names in backticks. */
function namesIn(text: string): string[] {
  return [...text.matchAll(/`(.+?)`/g)].map(([, name = '']) => name);
}

describe('ARCHITECTURE.md', () => {
  const packages = FOLDERS.filter((folder) => existsSync(join(ROOT, folder, 'package.json')));

  test('has a reason for each dependency, and no row for one that is gone', () => {
    const used = packages.flatMap(dependenciesOf).flatMap(([name, version]) => {
      if (version.startsWith('workspace:') || name.startsWith('@types/')) return [];
      // `typescript5: npm:typescript@5.9.3`
      return [/^npm:(.+)@/.exec(version)?.[1] ?? name];
    });
    const named = rowsOf('## Dependencies').flatMap(([names = '']) => namesIn(names));
    expect([...new Set(named)].toSorted()).toEqual([...new Set(used)].toSorted());
  });

  test('names dependencies of exact versions', () => {
    const loose = packages.flatMap((folder) =>
      dependenciesOf(folder)
        // Which version there is beside a package is its user's to say.
        .filter(([name]) => !(folder === 'packages/api' && name === '@grpc/grpc-js'))
        .filter(([, version]) => !/^(?:workspace:[*]|(?:npm:.+@)?\d+[.]\d+[.]\d+)$/.test(version))
        .map(([name, version]) => `${folder}: ${name} ${version}`),
    );
    expect(loose).toEqual([]);
  });

  test('tells what of ours each package imports', () => {
    const told = rowsOf('# Architecture').flatMap(([folders = '', imports = '']) =>
      namesIn(folders).map((folder): [string, string] => [folder, imports]),
    );
    const imported = packages
      .filter((folder) => folder !== '.')
      .map((folder): [string, string] => {
        const ours = dependenciesOf(folder).flatMap(([name]) => /^@btfd\/(.+)$/.exec(name)?.[1] ?? []);
        return [folder, ours.toSorted().join(', ')];
      });
    expect(Object.fromEntries(told)).toMatchObject(Object.fromEntries(imported));
  });
});
