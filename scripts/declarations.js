import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * copyDeclarations copies the type declarations of a package's entry points, and those that they import, with their
 * doc comments. Their maps lead to sources that are not published, so they are left out.
 *
 * @param {string[]} entries such as `./dist/index.d.ts`
 * @param {{ from: string; to: string }} dist the folders that are read and written
 * @param {string[]} inlined the dependencies that are not installed with the package
 * @throws Error if a type of such a dependency is part of a declaration.
 */
export function copyDeclarations(entries, { from, to }, inlined) {
  const paths = new Set(entries.map((entry) => entry.replace('./dist/', '')));
  // Iterating over a set includes the paths that are added on the way.
  for (const path of paths) {
    const text = readFileSync(join(from, path), 'utf8')
      .replace(/^\/\/# sourceMappingURL=.*\n?/m, '')
      // protobuf-es repeats the declaration of each field in the contract.
      .replaceAll(/^ *\/\*\*\n *\* @generated from .*\n *\*\/\n|^ *\*\n *\* @generated from .*\n/gm, '')
      // A tab for each level, for smaller packages.
      .replaceAll(/^(?: {4})+/gm, (spaces) => '\t'.repeat(spaces.length / 4))
      .replaceAll(/^import ["'](.+)["'];\n/gm, (line, name) => (inlined.includes(name) ? '' : line));
    for (const [, imported] of text.matchAll(/(?:from |import |import\()["']([^"']+)["']/g)) {
      if (inlined.includes(imported)) throw new Error(`${join(from, path)} needs the types of ${imported}`);
      if (imported.startsWith('.')) paths.add(join(dirname(path), imported.replace(/js$/, 'd.ts')));
    }
    mkdirSync(dirname(join(to, path)), { recursive: true });
    writeFileSync(join(to, path), text);
  }
}
