// Fetches the BTF of Debian's kernels and of their modules, for tests on real BTF:
//
//     node scripts/fetch-kernel-btf.js            for CI: one kernel and a dozen modules (40 MB)
//     node scripts/fetch-kernel-btf.js --all      for test:long: four kernels, all modules (200 MB)
//     node scripts/fetch-kernel-btf.js --boot     for test:kernels: bootable kernels, or those of some series (35 MB each)
//     node scripts/fetch-kernel-btf.js --update   pins the newest package of each series, and fetches nothing
//
// It downloads each package in kernel-packages.json, checks the SHA-256, and writes:
//
//     .cache/kernels/RELEASE/{vmlinux,MODULE}     BTF, which objcopy extracts from the ELF files
//     .cache/elf/RELEASE/{vmlinux,MODULE.ko}      the ELF files
//     .cache/corpus/RELEASE/…                     with --all: BTF
//     .cache/machines/SERIES/…                    with --boot: vmlinuz, an initramfs of modules, kernel.json
//
// It skips files that already exist. Needs Debian's apt-get and dpkg-deb, objcopy, the decompressor of the
// kernel (lz4, xz or zstd), and for --boot depmod and cpio.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasVersion, newest, packageNames, useSuites } from './apt-sources.js';
import { CACHE, inWork, replaceFolder } from './cache-folders.js';
import { BOOT_MODULES } from './kernel-image/boot-modules.js';
import { writeCpio } from './kernel-image/cpio.js';
import { dependencies, openPackages, run, unpackKernel, unpackModule } from './kernel-package.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PACKAGES = join(ROOT, 'scripts/kernel-packages.json');
const UPDATE = 'node scripts/fetch-kernel-btf.js --update';

const { kernels } = JSON.parse(readFileSync(PACKAGES, 'utf8'));
const [mode, ...chosen] = process.argv.slice(2);
if (mode === '--update') update();
else if (mode === '--all') fetchAll();
else if (mode === '--boot') fetchMachines(chosen);
else if (mode === undefined) fetchForCi();
else throw new Error(`${mode} is neither --all nor --boot nor --update`);

function fetchForCi() {
  const pinned = kernels.filter(({ modules }) => modules !== undefined);
  for (const folder of ['kernels', 'elf']) removeOthers(join(CACHE, folder), pinned);
  const wanted = pinned.filter(({ release, modules }) => !isWhole(release, modules));
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
  const pinned = kernels.filter(({ corpus }) => corpus === true);
  removeOthers(join(CACHE, 'corpus'), pinned);
  const missing = pinned.filter(({ release }) => !existsSync(join(CACHE, 'corpus', release)));
  if (missing.length === 0) return;
  useSuites(missing.map(({ suite }) => suite));
  for (const kernel of missing) fetchKernel(kernel, [], { btf: join(CACHE, 'corpus', kernel.release) });
}

/** Removes the releases that are no longer pinned, which tests would read too. */
function removeOthers(folder, pinned) {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (!pinned.some(({ release }) => release === name)) rmSync(join(folder, name), { recursive: true });
  }
}

/** Whether everything that CI needs of a kernel exists. */
function isWhole(release, modules) {
  return (
    ['vmlinux', ...modules].every((name) => existsSync(join(CACHE, 'kernels', release, name))) &&
    existsSync(join(CACHE, 'elf', release))
  );
}

/** Pins the newest release of each series in its suite. */
function update() {
  useSuites(kernels.map(({ suite }) => suite));
  for (const kernel of kernels) {
    Object.assign(kernel, newestOf(kernel));
    console.log(`${kernel.suite}: ${kernel.release} ${kernel.packages[0].version}`);
  }
  writeFileSync(PACKAGES, `${JSON.stringify({ kernels }, null, 2)}\n`);
  run('npx', ['prettier', '--write', PACKAGES]);
}

/** Returns a kernel with the newest release and packages of its series in its suite. */
function newestOf(kernel) {
  const { suite, series, packages } = kernel;
  const first = packages[0].name;
  const pattern = `^${first}-${series.replaceAll('.', '[.]')}[.].*-cloud-amd64$`;
  const newestName = packageNames(pattern)
    .toReversed()
    .find((candidate) => isIn(candidate, suite));
  if (newestName === undefined) throw new Error(`no package ${pattern} in ${suite}`);
  const release = newestName.slice(first.length + 1);
  return { ...kernel, release, packages: packages.map(({ name }) => newestPackage(name, release, suite)) };
}

function newestPackage(name, release, suite) {
  return { name, ...newest(`${name}-${release}`, suite) };
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
function fetchKernel(kernel, modules, targets) {
  const { release, packages } = kernel;
  inWork((work) => {
    const { vmlinuz, modules: paths } = openPackages(kernel, work, UPDATE);
    const elf = join(work, 'elf');
    const btf = join(work, 'btf');
    mkdirSync(elf);
    mkdirSync(btf);
    writeFileSync(join(elf, 'vmlinux'), unpackKernel(vmlinuz));
    for (const name of modules.length > 0 ? modules : paths.keys()) {
      const path = paths.get(name);
      if (path === undefined) throw new Error(`${release} has no module ${name}`);
      writeFileSync(join(elf, `${name}.ko`), unpackModule(path));
    }
    for (const file of readdirSync(elf)) extractBtf(join(elf, file), join(btf, file.replace(/\.ko$/, '')));
    if (targets.elf !== undefined) replaceFolder(elf, targets.elf);
    replaceFolder(btf, targets.btf);
    console.log(`${release} (${packages[0].version}): BTF of ${readdirSync(targets.btf).length} files`);
  });
}

/** Fetches bootable kernels of some series, or of all, into .cache/machines. */
function fetchMachines(names) {
  const unknown = names.filter((name) => !kernels.some(({ series }) => series === name));
  if (unknown.length > 0) throw new Error(`kernel-packages.json has no series ${unknown.join(', ')}`);
  const missing = kernels.filter(
    ({ series, release }) =>
      (names.length === 0 || names.includes(series)) && bootableRelease(series) !== release,
  );
  if (missing.length === 0) return;
  useSuites(missing.map(({ suite }) => suite));
  for (const kernel of missing) fetchMachine(kernel);
}

/** Returns the pinned release for which .cache/machines has a bootable kernel of a series, or null. */
function bootableRelease(series) {
  const file = join(CACHE, 'machines', series, 'kernel.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).pinned : null;
}

/** Fetches a bootable kernel. If its version is gone from the mirror, fetches the newest of its series instead. */
function fetchMachine(pinned) {
  const isGone = pinned.packages.some(
    ({ name, version }) => !hasVersion(`${name}-${pinned.release}`, version),
  );
  const kernel = isGone ? newestOf(pinned) : pinned;
  if (isGone) {
    console.log(
      `Debian’s mirror no longer has ${pinned.release} (${pinned.packages[0].version}), which is pinned. ` +
        `This run uses ${kernel.release} instead. \`${UPDATE}\` pins the newest of each series.`,
    );
  }
  inWork((work) => {
    const opened = openPackages(kernel, work, UPDATE);
    const machine = join(work, 'machine');
    const folder = join(work, 'initramfs/lib/modules', kernel.release);
    mkdirSync(machine);
    mkdirSync(folder, { recursive: true });
    copyFileSync(opened.vmlinuz, join(machine, 'vmlinuz'));
    const modules = dependencies(opened, BOOT_MODULES);
    for (const name of modules.keys()) {
      writeFileSync(join(folder, `${name}.ko`), unpackModule(opened.modules.get(name)));
    }
    const lines = [...modules].map(
      ([name, needed]) => `${[`${name}.ko:`, ...needed.map((other) => `${other}.ko`)].join(' ')}\n`,
    );
    writeFileSync(join(folder, 'modules.dep'), lines.join(''));
    writeCpio(join(work, 'initramfs'), join(machine, 'modules.cpio'));
    const { series, release, packages } = kernel;
    const about = {
      series,
      release,
      version: packages[0].version,
      pinned: pinned.release,
      modules: [...modules.keys()],
    };
    writeFileSync(join(machine, 'kernel.json'), JSON.stringify(about, null, 2));
    replaceFolder(machine, join(CACHE, 'machines', series));
    console.log(`${release} (${packages[0].version}): bootable, with ${modules.size} modules`);
  });
}

function extractBtf(elf, target) {
  run('objcopy', ['--dump-section', `.BTF=${target}`, elf, '/dev/null']);
}
