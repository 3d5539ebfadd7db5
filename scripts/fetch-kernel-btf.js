// Fetches the BTF of Debian's kernels and of their modules, for tests on real BTF:
//
//     node scripts/fetch-kernel-btf.js            for CI: one kernel and a dozen modules (40 MB)
//     node scripts/fetch-kernel-btf.js --all      for test:long: three kernels, all modules (150 MB)
//     node scripts/fetch-kernel-btf.js --update   pins the newest package of each series, and fetches nothing
//
// It downloads each package in kernel-packages.json, checks the SHA-256, and writes:
//
//     .cache/kernels/RELEASE/{vmlinux,MODULE}     BTF, which objcopy extracts from the ELF files
//     .cache/elf/RELEASE/{vmlinux,MODULE.ko}      the ELF files
//     .cache/corpus/RELEASE/…                     with --all: BTF
//     .cache/tools/bpftool                        with --all: a bpftool for newer BTF than Debian 12's
//
// It skips files that already exist. Needs Debian's apt-get and dpkg-deb, objcopy and the decompressor of the
// kernel (lz4, xz or zstd).
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { download, newest, packageNames, useSuites } from './apt-sources.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PACKAGES = join(ROOT, 'scripts/kernel-packages.json');
const CACHE = join(ROOT, '.cache');

/** The command that decompresses the payload of a bzImage, by the magic of the payload. */
const DECOMPRESSORS = {
  '02214c18': ['lz4', '-dc'],
  fd377a58: ['xz', '-dc'],
  '28b52ffd': ['zstd', '-dc'],
  '1f8b0800': ['gzip', '-dc'],
};

const { kernels, bpftool } = JSON.parse(readFileSync(PACKAGES, 'utf8'));
const [mode] = process.argv.slice(2);
if (mode === '--update') update();
else if (mode === '--all') fetchAll();
else if (mode === undefined) fetchForCi();
else throw new Error(`${mode} is neither --all nor --update`);

function fetchForCi() {
  const wanted = kernels.filter(
    ({ release, modules }) => modules !== undefined && !isWhole(release, modules),
  );
  if (wanted.length === 0) return;
  useSuites(wanted.map(({ suite }) => suite));
  for (const kernel of wanted) {
    console.log(`Fetching the BTF of Debian’s kernel ${kernel.release} and its modules: 40 MB`);
    fetchKernel(kernel, kernel.modules, {
      btf: join(CACHE, 'kernels', kernel.release),
      elf: join(CACHE, 'elf', kernel.release),
    });
  }
}

function fetchAll() {
  const missing = kernels.filter(({ release }) => !existsSync(join(CACHE, 'corpus', release)));
  const tool = join(CACHE, 'tools', 'bpftool');
  if (missing.length === 0 && existsSync(tool)) return;
  useSuites([bpftool, ...missing].map(({ suite }) => suite));
  if (!existsSync(tool)) fetchBpftool(tool);
  for (const kernel of missing) fetchKernel(kernel, [], { btf: join(CACHE, 'corpus', kernel.release) });
}

/** Whether everything that CI needs of a kernel exists. */
function isWhole(release, modules) {
  return (
    ['vmlinux', ...modules].every((name) => existsSync(join(CACHE, 'kernels', release, name))) &&
    existsSync(join(CACHE, 'elf', release))
  );
}

/** Pins the newest release of each series in its suite, and the newest bpftool. */
function update() {
  useSuites([bpftool, ...kernels].map(({ suite }) => suite));
  for (const kernel of kernels) {
    const { suite, series, packages } = kernel;
    const first = packages[0].name;
    const pattern = `^${first}-${series === '' ? '[0-9]' : series.replaceAll('.', '[.]')}[.].*-cloud-amd64$`;
    const candidates = packageNames(pattern).toReversed();
    const name = candidates.find((candidate) => isIn(candidate, suite));
    if (name === undefined) throw new Error(`no package ${pattern} in ${suite}`);
    kernel.release = name.slice(first.length + 1);
    for (const entry of packages) Object.assign(entry, newest(`${entry.name}-${kernel.release}`, suite));
    console.log(`${suite}: ${kernel.release} ${packages[0].version}`);
  }
  Object.assign(bpftool, newest('bpftool', bpftool.suite));
  writeFileSync(PACKAGES, `${JSON.stringify({ kernels, bpftool }, null, 2)}\n`);
  run('npx', ['prettier', '--write', PACKAGES]);
}

function isIn(name, suite) {
  try {
    newest(name, suite);
    return true;
  } catch {
    return false;
  }
}

/** @param modules the names of the modules to fetch, or empty for all. */
function fetchKernel({ release, packages }, modules, targets) {
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(join(CACHE, 'fetch-'));
  try {
    const root = join(work, 'root');
    for (const { name, version, sha256 } of packages) {
      run('dpkg-deb', ['-x', download({ package: `${name}-${release}`, version, sha256 }, work), root]);
    }
    const files = readdirSync(root, { recursive: true }).map((file) => join(root, file));
    const elf = join(work, 'elf');
    const btf = join(work, 'btf');
    mkdirSync(elf);
    mkdirSync(btf);
    const vmlinuz = files.find((file) => basename(file).startsWith('vmlinuz'));
    writeFileSync(join(elf, 'vmlinux'), unpackKernel(vmlinuz));
    for (const file of files) unpackModule(file, modules, elf);
    for (const name of modules) {
      if (!existsSync(join(elf, `${name}.ko`))) throw new Error(`${release} has no module ${name}`);
    }
    for (const file of readdirSync(elf)) extractBtf(join(elf, file), join(btf, file.replace(/\.ko$/, '')));
    if (targets.elf !== undefined) replace(elf, targets.elf);
    replace(btf, targets.btf);
    console.log(`${release} (${packages[0].version}): BTF of ${readdirSync(targets.btf).length} files`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function fetchBpftool(target) {
  const work = mkdtempSync(join(CACHE, 'fetch-'));
  try {
    run('dpkg-deb', ['-x', download({ package: 'bpftool', ...bpftool }, work), join(work, 'root')]);
    mkdirSync(join(CACHE, 'tools'), { recursive: true });
    copyFileSync(join(work, 'root/usr/sbin/bpftool'), target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Moves a folder to its target in one step, so that the target is always complete. */
function replace(folder, target) {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(join(target, '..'), { recursive: true });
  renameSync(folder, target);
}

/** Returns the ELF file in a bzImage. Documentation/arch/x86/boot.rst describes the format. */
function unpackKernel(file) {
  const image = readFileSync(file);
  const setupBytes = (image[0x1f1] + 1) * 512;
  const start = setupBytes + image.readUInt32LE(0x248);
  const payload = image.subarray(start, start + image.readUInt32LE(0x24c));
  const magic = payload.subarray(0, 4).toString('hex');
  const decompressor = DECOMPRESSORS[magic];
  if (decompressor === undefined) throw new Error(`unknown compression of ${file}: magic ${magic}`);
  // The last four bytes are the size, after the compressed stream. lz4 and xz do not accept them.
  const stream = payload.subarray(0, payload.length - 4);
  return run(decompressor[0], decompressor.slice(1), { input: stream });
}

function unpackModule(file, modules, folder) {
  const [, name, suffix] = /^(.*)\.ko(|\.xz)$/.exec(basename(file)) ?? [];
  if (name === undefined || (modules.length > 0 && !modules.includes(name))) return;
  const bytes = suffix === '' ? readFileSync(file) : run('xz', ['-dc', file]);
  writeFileSync(join(folder, `${name}.ko`), bytes);
}

function extractBtf(elf, target) {
  run('objcopy', ['--dump-section', `.BTF=${target}`, elf, '/dev/null']);
}

function run(command, args, options = {}) {
  return execFileSync(command, args, { maxBuffer: 1 << 30, stdio: ['pipe', 'pipe', 'inherit'], ...options });
}
