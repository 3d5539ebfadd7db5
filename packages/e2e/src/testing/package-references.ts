import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { InstalledPackages } from './installed-packages.js';

/** Folders of the repository, with which the name of a file in a text begins. */
const FOLDERS = 'docs|packages|examples|deploy|proto|scripts|testing|native|schema';
const PATH = new RegExp(
  `(?<![\\w/@.:*-])(?:${FOLDERS})/[\\w./-]*\\w|\\b(?:ARCHITECTURE|CONTRIBUTING|decisions)[.]md`,
  'g',
);
/** Words after a path that say which other package has it. */
const OWNER = /^[`)]*\s+(?:\*\s+|\/\/\s+)?of `?@btfd\/(\w+)/;
/** The words for files that no package has. */
const REPOSITORY = /in the repository/;
/** The bundler names each module above it. The Containerfile says that it is for the root of the repository. */
const EXEMPT_LINE = /^\/\/ (?:packages|native|node_modules)\//;
const EXEMPT_FILE =
  /Containerfile|[.](?:map|binpb|node|o|svg)$|^[^/]+\/package[.]json$|THIRD-PARTY|\/dist\/(?:@|commander|yaml|prom|pino|lru)/;

/**
 * brokenReferences returns the places in the packages where a text names a file that the package does not have: links in
 * documents, and paths in documents, help, errors and comments. The text may name another package that has the file.
 */
export function brokenReferences(installed: InstalledPackages): string[] {
  return readdirSync(installed.scope).flatMap((name) =>
    installed
      .files()
      .filter((file) => file.startsWith(`${name}/`) && isText(installed, file))
      .flatMap((file) => {
        const text = installed.text(file);
        const broken = [...pathsIn(text)].filter(({ path, after, line }) => {
          const owner = OWNER.exec(after)?.[1] ?? name;
          return !existsSync(join(installed.scope, owner, path)) && !REPOSITORY.test(line);
        });
        const links = file.endsWith('.md') ? brokenLinks(installed, file) : [];
        return [...broken.map(({ path }) => path), ...links].map((reference) => `${file}: ${reference}`);
      }),
  );
}

function isText(installed: InstalledPackages, file: string): boolean {
  return !EXEMPT_FILE.test(file) && existsSync(join(installed.scope, file)) && /[.]\w+$/.test(file);
}

/** Yields each path with the text after it and its line. */
function* pathsIn(text: string): Generator<{ path: string; after: string; line: string }> {
  // In TypeScript declarations and C++, the words after a path may be on the next line of a comment.
  for (const match of text.matchAll(PATH)) {
    const start = text.lastIndexOf('\n', match.index) + 1;
    const end = text.indexOf('\n', match.index);
    const line = text.slice(start, end < 0 ? undefined : end);
    const after = text.slice(match.index + match[0].length, match.index + match[0].length + 60);
    if (!EXEMPT_LINE.test(line)) yield { path: match[0], after, line };
  }
}

function brokenLinks(installed: InstalledPackages, file: string): string[] {
  const prose = installed.text(file).replaceAll(/^```[^]*?^```$/gm, '');
  const links = [...prose.matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)\s]*)?\)/g)];
  return links.flatMap(([, target = '']) =>
    existsSync(join(installed.scope, dirname(file), target)) ? [] : [target],
  );
}
