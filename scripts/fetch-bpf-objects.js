// Fetches programs of Debian that contain BPF objects, for tests on real objects:
//
//     node scripts/fetch-bpf-objects.js            for CI, unless they exist (1.5 MB)
//     node scripts/fetch-bpf-objects.js --all      for test:long: those of more packages and suites (12 MB)
//     node scripts/fetch-bpf-objects.js --update   pins the newest package of each suite, and fetches nothing
//
// It downloads the packages in object-packages.json, checks the SHA-256, and writes:
//
//     .cache/objects/PACKAGE/PROGRAM              the programs, in which findBpfObjects of @btfd/btf finds the objects
//     .cache/objects/pinned.json                  the pins of which these are the packages
//     .cache/all-objects/PACKAGE-SUITE/PROGRAM    with --all: the same of all packages
//
// Needs Debian's apt-get and dpkg-deb.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CACHE, inWork, replaceFolder } from './cache-folders.js';
import { pinNewest, unpackPackages } from './pinned-packages.js';

const PACKAGES = fileURLToPath(new URL('object-packages.json', import.meta.url));
const UPDATE = 'node scripts/fetch-bpf-objects.js --update';

const { packages } = JSON.parse(readFileSync(PACKAGES, 'utf8'));
const [mode] = process.argv.slice(2);
if (mode === '--update') pinNewest(PACKAGES);
else if (mode === '--all') fetch(packages, 'all-objects', '12 MB', ({ name, suite }) => `${name}-${suite}`);
else if (mode === undefined) {
  const forCi = packages.filter(({ ci }) => ci === true);
  fetch(forCi, 'objects', '1.5 MB', ({ name }) => name);
} else throw new Error(`invalid argument ${mode}: use --all, --update or nothing`);

/** @param nameOf returns the name of the folder for the programs of a package. */
function fetch(wanted, folder, size, nameOf) {
  const target = join(CACHE, folder);
  const text = JSON.stringify(wanted, null, 2);
  const pinned = join(target, 'pinned.json');
  if (existsSync(pinned) && readFileSync(pinned, 'utf8') === text) return;
  console.log(`Fetching programs of Debian that contain BPF objects: ${size}`);
  inWork((work) => {
    const objects = join(work, 'objects');
    mkdirSync(objects);
    const rootOf = ({ name, suite }) => join(work, `${name}-${suite}`);
    unpackPackages(wanted, { work, root: rootOf, update: UPDATE });
    for (const pin of wanted) renameSync(join(rootOf(pin), pin.folder), join(objects, nameOf(pin)));
    writeFileSync(join(objects, 'pinned.json'), text);
    replaceFolder(objects, target);
  });
}
