// Makes the parts of an initramfs that all kernels share, in .cache/machines:
//
//     node scripts/kernel-image/make.js          both parts
//     node scripts/kernel-image/make.js --core   without the daemon
//
//     core.cpio    busybox, the agent and delegated-bpffs: enough to run commands and to load BTF
//     daemon.cpio  the packed btfd and btfctl with their Node, bpftool, load-programs and tc
//
// The daemon is the one that users install: scripts/pack.js packs it and npm installs it.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeCpio } from './cpio.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const GUEST = fileURLToPath(new URL('.', import.meta.url));
const MACHINES = join(ROOT, '.cache/machines');

/**
 * The programs of this machine that the virtual machines get in /opt/bin, with their libraries. Busybox has smaller ones
 * of some names, which its shell prefers.
 */
const PROGRAMS = {
  node: process.execPath,
  tc: firstOf('/usr/sbin/tc', '/sbin/tc'),
  setpriv: '/usr/bin/setpriv',
  prlimit: '/usr/bin/prlimit',
};

mkdirSync(MACHINES, { recursive: true });
const work = mkdtempSync(join(MACHINES, 'image-'));
try {
  makeCore(join(work, 'core'));
  writeCpio(join(work, 'core'), join(MACHINES, 'core.cpio'));
  if (!process.argv.includes('--core')) {
    makeDaemon(join(work, 'daemon'));
    writeCpio(join(work, 'daemon'), join(MACHINES, 'daemon.cpio'));
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

function makeCore(root) {
  for (const folder of ['bin', 'dev', 'proc', 'sys', 'etc', 'opt/bin', 'run', 'tmp', 'root']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  cpSync(firstOf('/bin/busybox', '/usr/bin/busybox'), join(root, 'bin/busybox'));
  cpSync(join(GUEST, 'init.sh'), join(root, 'init'));
  run('chmod', ['755', join(root, 'init')]);
  for (const source of [join(GUEST, 'guest-agent.c'), join(ROOT, 'testing/delegated-bpffs.c')]) {
    const program = join(root, 'opt/bin', basename(source, '.c'));
    // It runs without the libraries of the host.
    run('gcc', ['-static', '-O1', '-Wall', '-Werror', '-o', program, source]);
  }
}

function makeDaemon(root) {
  mkdirSync(join(root, 'opt/bin'), { recursive: true });
  for (const [name, path] of Object.entries(PROGRAMS)) addProgram(root, `opt/bin/${name}`, path);
  addBpftool(root);
  addLoader(root);
  installPackages(join(root, 'opt/btfd'));
  for (const [name, file] of [
    ['btfd', 'server/bin/btfd.js'],
    ['btfctl', 'cli/bin/btfctl.js'],
  ]) {
    writeFileSync(
      join(root, 'opt/bin', name),
      `#!/bin/sh\nexec node /opt/btfd/node_modules/@btfd/${file} "$@"\n`,
      { mode: 0o755 },
    );
  }
}

/** Copies a program without its symbols, and the libraries that it needs. */
function addProgram(root, to, from) {
  run('strip', ['-o', join(root, to), from]);
  for (const [library] of run('ldd', [from]).matchAll(/\/\S+/g)) {
    if (existsSync(join(root, library))) continue;
    mkdirSync(join(root, dirname(library)), { recursive: true });
    cpSync(library, join(root, library), { dereference: true });
  }
}

/** Adds the bpftool of scripts/fetch-tools.js, which has its own loader and libraries. */
function addBpftool(root) {
  cpSync(join(ROOT, '.cache/tools'), join(root, 'opt/tools'), { recursive: true });
  writeFileSync(join(root, 'opt/bin/bpftool'), '#!/bin/sh\nexec /opt/tools/bpftool "$@"\n', { mode: 0o755 });
}

/** Adds the program that loads BPF objects with the libbpf of these tools. */
function addLoader(root) {
  const program = join(root, 'opt/tools/bin/load-programs');
  const libbpf = join(ROOT, '.cache/tools/lib/libbpf.so.1');
  // The library needs a newer C library than the one of this machine, which its own loader finds.
  const flags = ['-O1', '-Wall', '-Werror', '-Wl,--allow-shlib-undefined'];
  run('gcc', [...flags, '-o', program, join(ROOT, 'testing/load-programs.c'), libbpf]);
  const tools = '/opt/tools';
  writeFileSync(
    join(root, 'opt/bin/load-programs'),
    `#!/bin/sh\nexec ${tools}/lib/ld-linux-x86-64.so.2 --library-path ${tools}/lib ${tools}/bin/load-programs "$@"\n`,
    { mode: 0o755 },
  );
}

function installPackages(project) {
  const tarballs = join(work, 'tarballs');
  execFileSync(process.execPath, ['scripts/pack.js', tarballs], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{"private": true}');
  const files = readdirSync(tarballs).map((name) => join(tarballs, name));
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts', ...files], {
    cwd: project,
  });
}

function firstOf(...paths) {
  const path = paths.find((candidate) => existsSync(candidate));
  if (path === undefined) throw new Error(`none of ${paths.join(', ')} exists`);
  return path;
}

function run(command, args, options = {}) {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], ...options });
}
