import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const DOCUMENTS = [
  '.',
  'docs',
  'native',
  ...readdirSync(join(ROOT, 'packages')).map((name) => `packages/${name}`),
]
  .flatMap((folder) => readdirSync(join(ROOT, folder)).map((name) => join(folder, name)))
  .filter((path) => path.endsWith('.md'));

/** Returns a document without its code blocks. */
function proseOf(path: string): string {
  return readFileSync(path, 'utf8').replaceAll(/^```[^]*?^```$/gm, '');
}

/** Returns the anchors of a document's headings, as GitHub makes them. */
function anchorsOf(path: string): string[] {
  return [...proseOf(path).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Returns the broken links of a document. */
function brokenLinks(document: string): string[] {
  const path = join(ROOT, document);
  const links = [...proseOf(path).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)];
  return links.flatMap(([link, file = '', anchor]) => {
    const target = file === '' ? path : join(dirname(path), file);
    if (!existsSync(target)) return [link];
    if (anchor === undefined) return [];
    return statSync(target).isFile() && anchorsOf(target).includes(anchor) ? [] : [link];
  });
}

describe('the links in the documents', () => {
  test('are found', () => {
    expect(DOCUMENTS).toEqual(expect.arrayContaining(['README.md', join('docs', 'guide.md')]));
  });

  test.each(DOCUMENTS)('are not broken in %s', (document) => {
    expect(brokenLinks(document)).toEqual([]);
  });

  test('lead from README.md to every document', () => {
    const links = proseOf(join(ROOT, 'README.md')).matchAll(/\]\(([^)#\s]+)/g);
    const linked = new Set([...links].map(([, file = '']) => relative('.', file)));
    expect(DOCUMENTS.filter((path) => path.startsWith('docs/') && !linked.has(path))).toEqual([]);
  });
});

/** Returns the texts in backticks of a document, without its code blocks. */
function namesIn(document: string): string[] {
  return [...proseOf(join(ROOT, document)).matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}

/** Returns the first cells of the rows of a document's tables. */
function rowsOf(document: string): string[] {
  return [...proseOf(join(ROOT, document)).matchAll(/^\| `([^`]+)` /gm)].map(([, name = '']) => name);
}

/** Returns the texts of all files in a folder. */
function textOf(folder: string): string {
  const path = join(ROOT, folder);
  return readdirSync(path)
    .map((name) => readFileSync(join(path, name), 'utf8'))
    .join('\n');
}

describe('in the documents, these names exist:', () => {
  const names = DOCUMENTS.flatMap((document) => namesIn(document).map((name) => ({ document, name })));
  // generated-docs.test.ts compares these tables with the code.
  const settings = new Set(rowsOf('docs/operations.md'));
  const metrics = new Set(rowsOf('docs/metrics.md'));
  const scripts = readFileSync(join(ROOT, 'package.json'), 'utf8');
  const options = textOf('packages/cli/src/grammar');
  const folders = [
    '.',
    'packages',
    'packages/server/src',
    'packages/cli/src',
    'packages/client/src',
    'packages/fleet/src',
  ];

  function isFlag(name: string): boolean {
    const flag = /^--(?:no-)?([a-z-]+)/.exec(name)?.[1] ?? '';
    return settings.has(flag) || new RegExp(`--(?:no-)?${flag}\\b`).test(options);
  }

  test.each<[string, RegExp, (name: string) => boolean]>([
    [
      'files and folders',
      /^(?!.*NAME)\w[\w-]*\/[\w./-]+(?:\.(?:ts|js|json|yaml|proto|md|py|sh|cc)|\/)$/,
      (name) => folders.some((folder) => existsSync(join(ROOT, folder, name))),
    ],
    ['limits', /^(?:max|min|default)-[a-z-]+$/, (name) => settings.has(name)],
    ['metrics', /^btfd_\w+$/, (name) => metrics.has(name)],
    ['scripts', /^pnpm [a-z:]+$/, (name) => scripts.includes(`"${name.slice('pnpm '.length)}": `)],
    ['flags of btfd and btfctl', /^--[a-z][a-z-]+(?: [^ ]+)?$/, isFlag],
  ])('%s', (_, form, exists) => {
    // README.md and CONTRIBUTING.md also name flags of other programs.
    const found = names.filter(({ document, name }) => {
      return form.test(name) && (document.startsWith('docs/') || !name.startsWith('--'));
    });
    expect(found.length).toBeGreaterThan(5);
    expect(found.filter(({ name }) => !exists(name))).toEqual([]);
  });
});
