// Builds the program with which tests ask cilium/ebpf about CO-RE relocations, for test:long:
//
//     node scripts/fetch-cilium-driver.js            builds it, unless it exists (80 MB)
//     node scripts/fetch-cilium-driver.js --update   pins the newest package of each suite, and builds nothing
//
// It downloads Go and cilium/ebpf of Debian, which are in driver-packages.json, checks the SHA-256, and writes:
//
//     .cache/cilium/relocate        the program of packages/btf/src/core/testdata/cilium/relocate.go
//     .cache/cilium/pinned.json     the pins of which these are the packages
//
// Needs Debian's apt-get and dpkg-deb on x86-64.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CACHE, inWork, replaceFolder } from './cache-folders.js';
import { pinNewest, unpackPackages } from './pinned-packages.js';

const PACKAGES = fileURLToPath(new URL('driver-packages.json', import.meta.url));
const SOURCE = fileURLToPath(
  new URL('../packages/btf/src/core/testdata/cilium/relocate.go', import.meta.url),
);
const TARGET = join(CACHE, 'cilium');
const UPDATE = 'node scripts/fetch-cilium-driver.js --update';

const { packages } = JSON.parse(readFileSync(PACKAGES, 'utf8'));
const pins = readFileSync(PACKAGES, 'utf8') + readFileSync(SOURCE, 'utf8');
const [mode] = process.argv.slice(2);
if (mode === '--update') pinNewest(PACKAGES);
else if (mode === undefined) build();
else throw new Error(`invalid argument ${mode}: use --update or nothing`);

function build() {
  const pinned = join(TARGET, 'pinned.json');
  if (existsSync(pinned) && readFileSync(pinned, 'utf8') === pins) return;
  console.log('Fetching Go and cilium/ebpf: 80 MB');
  inWork((work) => {
    const root = join(work, 'root');
    unpackPackages(packages, { work, root, update: UPDATE });
    const goRoot = join(root, 'usr/lib/go-1.26');
    const driver = join(work, 'driver');
    mkdirSync(driver);
    execFileSync(join(goRoot, 'bin/go'), ['build', '-o', join(driver, 'relocate'), SOURCE], {
      env: {
        ...process.env,
        GOROOT: goRoot,
        // Debian's packages of sources are a GOPATH.
        GO111MODULE: 'off',
        GOPATH: join(root, 'usr/share/gocode'),
        GOCACHE: join(work, 'cache'),
        CGO_ENABLED: '0',
      },
    });
    writeFileSync(join(driver, 'pinned.json'), pins);
    replaceFolder(driver, TARGET);
  });
}
