// Fetches the tools with whose output tests compare, bpftool, pahole and pfunct, and those that check what is in deploy/: kubectl,
// Prometheus and promtool. Those of the machine can be years older, and Debian's package of Prometheus starts a service.
//
//     node scripts/fetch-tools.js            fetches them, unless they exist (58 MB)
//     node scripts/fetch-tools.js --update   pins the newest package of each suite, and fetches nothing
//
// It downloads the packages in tool-packages.json, checks the SHA-256, and writes:
//
//     .cache/tools/{bpftool,pahole,…}        scripts that run the tools with their own loader and libraries, because
//                                            they need a newer C library than Debian 12's
//     .cache/tools/{bin,lib}                 the programs and the libraries
//     .cache/tools/pinned.json               the pins of which these are the packages
//
// Needs apt-get and dpkg-deb of Debian on x86-64.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CACHE, inWork, replaceFolder } from './cache-folders.js';
import { pinNewest, unpackPackages } from './pinned-packages.js';

const PACKAGES = fileURLToPath(new URL('tool-packages.json', import.meta.url));
const TOOLS = join(CACHE, 'tools');
const UPDATE = 'node scripts/fetch-tools.js --update';

/** The programs in the packages, and the arguments with which each prints its version. */
const PROGRAMS = {
  'usr/sbin/bpftool': ['--version'],
  'usr/bin/pahole': ['--version'],
  'usr/bin/pfunct': ['--version'],
  'usr/bin/kubectl': ['version', '--client'],
  'usr/bin/prometheus': ['--version'],
  'usr/bin/promtool': ['--version'],
};

const text = readFileSync(PACKAGES, 'utf8');
const { packages } = JSON.parse(text);
const [mode] = process.argv.slice(2);
if (mode === '--update') pinNewest(PACKAGES);
else if (mode === undefined) fetch();
else throw new Error(`invalid argument ${mode}: use --update or nothing`);

function fetch() {
  const pinned = join(TOOLS, 'pinned.json');
  const isComplete = Object.keys(PROGRAMS).every((path) => existsSync(join(TOOLS, basename(path))));
  if (isComplete && existsSync(pinned) && readFileSync(pinned, 'utf8') === text) return;
  console.log(
    'Fetching bpftool, pahole, kubectl and Prometheus of newer Debian suites, and their libraries: 58 MB',
  );
  inWork((work) => {
    const root = join(work, 'root');
    unpackPackages(packages, { work, root, update: UPDATE });
    const tools = join(work, 'tools');
    for (const folder of ['bin', 'lib']) mkdirSync(join(tools, folder), { recursive: true });
    for (const path of Object.keys(PROGRAMS)) addProgram(root, path, tools);
    writeFileSync(join(tools, 'pinned.json'), text);
    for (const [path, args] of Object.entries(PROGRAMS)) execFileSync(join(tools, basename(path)), args);
    replaceFolder(tools, TOOLS);
  });
}

/** Copies a program and the libraries that it needs, and writes the script that runs it. */
function addProgram(root, path, tools) {
  const name = basename(path);
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu');
  const loader = join(libraries, 'ld-linux-x86-64.so.2');
  const list = execFileSync(loader, ['--library-path', libraries, '--list', join(root, path)], {
    encoding: 'utf8',
  });
  for (const [, library] of list.matchAll(/ => (\S+) /g)) {
    if (!library.startsWith(libraries)) throw new Error(`no package in ${PACKAGES} has ${basename(library)}`);
    copyFileSync(library, join(tools, 'lib', basename(library)));
  }
  copyFileSync(loader, join(tools, 'lib', basename(loader)));
  copyFileSync(join(root, path), join(tools, 'bin', name));
  writeFileSync(join(tools, name), runnerOf(name), { mode: 0o755 });
}

/** Returns the script that runs a program with the loader and the libraries that are in the folder of the script. */
function runnerOf(name) {
  return `\
#!/bin/sh
folder=\${0%/*}
exec "$folder/lib/ld-linux-x86-64.so.2" --library-path "$folder/lib" "$folder/bin/${name}" "$@"
`;
}
