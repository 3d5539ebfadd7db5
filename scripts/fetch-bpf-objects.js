// Fetches programs of Debian that contain BPF objects, for tests on real objects:
//
//     node scripts/fetch-bpf-objects.js            fetches them, unless they exist (1.5 MB)
//     node scripts/fetch-bpf-objects.js --update   pins the newest package of each suite, and fetches nothing
//
// It downloads the packages in object-packages.json, checks the SHA-256, and writes:
//
//     .cache/objects/PACKAGE/PROGRAM      the programs, in which findBpfObjects of @btfd/btf finds the objects
//     .cache/objects/pinned.json          the pins of which these are the packages
//
// Needs Debian's apt-get and dpkg-deb.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CACHE, inWork, replaceFolder } from './cache-folders.js';
import { pinNewest, unpackPackages } from './pinned-packages.js';

const PACKAGES = fileURLToPath(new URL('object-packages.json', import.meta.url));
const OBJECTS = join(CACHE, 'objects');
const UPDATE = 'node scripts/fetch-bpf-objects.js --update';

const text = readFileSync(PACKAGES, 'utf8');
const { packages } = JSON.parse(text);
const [mode] = process.argv.slice(2);
if (mode === '--update') pinNewest(PACKAGES);
else if (mode === undefined) fetch();
else throw new Error(`invalid argument ${mode}: use --update or nothing`);

function fetch() {
  const pinned = join(OBJECTS, 'pinned.json');
  if (existsSync(pinned) && readFileSync(pinned, 'utf8') === text) return;
  console.log('Fetching programs of Debian that contain BPF objects: 1.5 MB');
  inWork((work) => {
    const objects = join(work, 'objects');
    mkdirSync(objects);
    const rootOf = (name) => join(work, name);
    unpackPackages(packages, { work, root: rootOf, update: UPDATE });
    for (const { name } of packages) renameSync(join(rootOf(name), 'usr/sbin'), join(objects, name));
    writeFileSync(join(objects, 'pinned.json'), text);
    replaceFolder(objects, OBJECTS);
  });
}
