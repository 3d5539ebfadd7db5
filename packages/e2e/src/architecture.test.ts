import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const ARCHITECTURE = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
const DECISIONS = readFileSync(join(ROOT, 'docs/decisions.md'), 'utf8');
const FOLDERS = [
  '.',
  'native',
  'examples',
  'testing',
  ...readdirSync(join(ROOT, 'packages')).map((name) => `packages/${name}`),
];

/** The fields whose packages we install. The user of a package chooses the version of its peer dependencies. */
const INSTALLED = ['dependencies', 'devDependencies', 'optionalDependencies'];

/** Returns the dependencies of the package in a folder, with their versions. */
function dependenciesOf(folder: string, fields = INSTALLED): [name: string, version: string][] {
  const manifest: unknown = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
  return fields.flatMap((field) => {
    const listed: unknown = Object.entries(Object(manifest)).find(([name]) => name === field)?.[1];
    return Object.entries(Object(listed)).map(([name, version]): [string, string] => [name, String(version)]);
  });
}

/** Returns the text of a part of a document. */
function partOf(document: string, title: string): string {
  return document.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
}

/** Returns the names in backticks. */
function namesIn(text: string): string[] {
  return [...text.matchAll(/`(.+?)`/g)].map(([, name = '']) => name);
}

/** Returns the paths in backticks that name a file or folder of this repository. */
function pathsIn(text: string, base: string): string[] {
  return namesIn(text)
    .filter((name) => /^[.\w/-]+\/[.\w/-]*$/.test(name) && !name.includes('NAME'))
    .map((name) => join(base, name));
}

describe('The design documents', () => {
  const packages = FOLDERS.filter((folder) => existsSync(join(ROOT, folder, 'package.json')));

  test('give a reason for each dependency, and list no dependency that is gone', () => {
    const all = packages.flatMap((folder) => dependenciesOf(folder, [...INSTALLED, 'peerDependencies']));
    const used = all.flatMap(([name, version]) => {
      if (version.startsWith('workspace:') || name.startsWith('@types/')) return [];
      // `typescript5: npm:typescript@5.9.3`
      return [/^npm:(.+)@/.exec(version)?.[1] ?? name];
    });
    const rows = partOf(DECISIONS, 'Dependencies').matchAll(/^\| (`.*?) \|/gm);
    const named = [...rows].flatMap(([, names = '']) => namesIn(names));
    expect([...new Set(named)].toSorted()).toEqual([...new Set(used)].toSorted());
  });

  test('name exact versions of dependencies', () => {
    const loose = packages.flatMap((folder) =>
      dependenciesOf(folder)
        .filter(([, version]) => !/^(?:workspace:[*]|(?:npm:.+@)?\d+[.]\d+[.]\d+)$/.test(version))
        .map(([name, version]) => `${folder}: ${name} ${version}`),
    );
    expect(loose).toEqual([]);
  });

  test('list the workspace packages that each package imports', () => {
    const listed = [
      ...partOf(ARCHITECTURE, 'Packages').matchAll(/^- `(?<folder>.+?)`(?: imports (?<ours>[\w, ]+))?:/gm),
    ].map(({ groups }): [string, string] => [groups?.['folder'] ?? '', groups?.['ours'] ?? '']);
    const imported = packages
      .filter((folder) => folder !== '.')
      .map((folder): [string, string] => {
        const ours = dependenciesOf(folder).flatMap(([name]) => /^@btfd\/(.+)$/.exec(name)?.[1] ?? []);
        // A peer dependency is a dependency for development too.
        return [folder, [...new Set(ours)].toSorted().join(', ')];
      });
    expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(imported));
  });

  test('name every room of the server', () => {
    const [drawing = ''] = partOf(ARCHITECTURE, 'Rooms of the server').match(/^```\n[^]*?^```/m) ?? [];
    const rooms = readdirSync(join(ROOT, 'packages/server/src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'testing')
      .map(({ name }) => name);
    expect(rooms.filter((room) => !new RegExp(`\\b${room}\\b`).test(drawing))).toEqual([]);
  });

  test('name only existing files in recipes', () => {
    const paths = pathsIn(partOf(ARCHITECTURE, 'Recipes'), 'packages');
    expect(paths.length).toBeGreaterThan(10);
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test('fit on one page', () => {
    expect(ARCHITECTURE.length).toBeLessThan(6 * 1024);
  });
});
