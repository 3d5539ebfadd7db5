import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * copyDeclarations copies the type declarations of a package's entry points, and those that they import, with their
 * doc comments. Their maps lead to sources that are not published, so they are left out.
 *
 * @param {string[]} entries such as `./dist/index.d.ts`
 * @param {{ from: string; to: string }} dist the folders that are read and written
 */
export function copyDeclarations(entries, { from, to }) {
  const paths = new Set(entries.map((entry) => entry.replace('./dist/', '')));
  // A set's iteration sees what is added on the way.
  for (const path of paths) {
    const text = readFileSync(join(from, path), 'utf8').replace(/^\/\/# sourceMappingURL=.*\n?/m, '');
    mkdirSync(dirname(join(to, path)), { recursive: true });
    writeFileSync(join(to, path), text);
    for (const [, imported] of text.matchAll(/(?:from |import |import\()["']([.][^"']+)[.]js["']/g)) {
      paths.add(`${join(dirname(path), imported)}.d.ts`);
    }
  }
}
