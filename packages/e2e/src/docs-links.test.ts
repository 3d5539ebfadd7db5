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
