import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * thirdPartyLicenses returns the licenses of the packages that modules are from, as text.
 *
 * @param {string[]} modules paths of bundled files; those that are not in `node_modules` are our own
 * @returns {string}
 * @throws Error if a package comes without the text of its license.
 */
export function thirdPartyLicenses(modules) {
  const folders = new Map();
  for (const path of modules) {
    const folder = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0];
    if (folder !== undefined) folders.set(folder, [...(folders.get(folder) ?? []), path]);
  }
  const parts = [...folders].map(([folder, files]) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return `${name} ${version}, ${license}\n\n${licenseOf(folder, files)}`;
  });
  return [`The bundles in dist/ contain code of these ${parts.length} packages.\n`, ...parts.toSorted()].join(
    `\n${'='.repeat(80)}\n\n`,
  );
}

/** The license in a file of its own or, as in @bufbuild/protobuf, at the heads of the source files. */
function licenseOf(folder, files) {
  const names = readdirSync(folder).filter((name) => /^(?:licen[cs]e|copying|notice)\b/i.test(name));
  const texts =
    names.length > 0
      ? names.map((name) => readFileSync(join(folder, name), 'utf8'))
      : [...new Set(files.filter((path) => existsSync(path)).map(headOf))];
  const text = texts.map((part) => `${part.trim()}\n`).join('\n');
  if (!/copyright|permission/i.test(text)) throw new Error(`${folder} has no text of its license`);
  return text;
}

/** The comment that a file starts with. */
function headOf(path) {
  const comment = /^(?:\/\/.*\n)+/.exec(readFileSync(path, 'utf8'))?.[0] ?? '';
  return comment.replaceAll(/^\/\/ ?/gm, '');
}
