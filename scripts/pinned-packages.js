// Lists of Debian packages, each with its suite, its version and its SHA-256, in JSON files such as tool-packages.json.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { download, hasVersion, newest, useSuites } from './apt-sources.js';

/** pinNewest pins the newest version of each package in a file. It fetches nothing. */
export function pinNewest(file) {
  const { packages } = JSON.parse(readFileSync(file, 'utf8'));
  useSuites(packages.map(({ suite }) => suite));
  for (const pin of packages) {
    Object.assign(pin, newest(pin.name, pin.suite));
    console.log(`${pin.suite}: ${pin.name} ${pin.version}`);
  }
  writeFileSync(file, `${JSON.stringify({ packages }, null, 2)}\n`);
}

/**
 * unpackPackages downloads packages and unpacks them into a folder. It returns the versions by name.
 *
 * @param work the folder for the downloads.
 * @param root the folder, or a function that returns the folder for a package.
 * @param update the command that pins the newest versions.
 */
export function unpackPackages(packages, { work, root, update }) {
  useSuites(packages.map(({ suite }) => suite));
  const rootOf = typeof root === 'string' ? () => root : root;
  const versions = {};
  for (const pin of packages) {
    const found = availablePin(pin, update);
    const wanted = { package: pin.name, version: found.version, sha256: found.sha256 };
    // Packages of one name may come from several suites.
    const deb = download(wanted, join(work, pin.suite), update);
    execFileSync('dpkg-deb', ['-x', deb, rootOf(pin)]);
    versions[pin.name] = found.version;
  }
  return versions;
}

/** Returns the pinned version or, if it is gone from the mirror, the newest of its suite. */
function availablePin(pin, update) {
  if (hasVersion(pin.name, pin.version)) return pin;
  const found = newest(pin.name, pin.suite);
  console.log(
    `Debian’s mirror no longer has ${pin.name} ${pin.version}, which is pinned. ` +
      `This run uses ${found.version} instead. \`${update}\` pins the newest of each suite.`,
  );
  return found;
}
