// Gets the BTF of Debian's kernels and of some of their modules, for tests of split BTF on its base:
//
//     node scripts/fetch-kernel-btf.js
//
// Downloads each package of kernel-packages.json with apt, checks its SHA-256, and writes
// .cache/kernels/RELEASE/{vmlinux,MODULE}. Does nothing where they are there already. Needs apt-get,
// dpkg-deb, objcopy and the decompressor of the kernel (lz4, xz or zstd).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
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

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CACHE = join(ROOT, '.cache', 'kernels');

/** Magic of the payload of a bzImage → the command that decompresses it. */
const DECOMPRESSORS = {
  '02214c18': ['lz4', '-dc'],
  fd377a58: ['xz', '-dc'],
  '28b52ffd': ['zstd', '-dc'],
  '1f8b0800': ['gzip', '-dc'],
};

for (const kernel of JSON.parse(readFileSync(join(ROOT, 'scripts/kernel-packages.json'), 'utf8')))
  fetchKernel(kernel);

function fetchKernel(kernel) {
  const target = join(CACHE, kernel.release);
  if (existsSync(target)) return;
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(join(CACHE, 'fetch-'));
  try {
    const deb = download(kernel, work);
    run('dpkg-deb', ['-x', deb, join(work, 'root')]);
    const out = join(work, 'btf');
    mkdirSync(out);
    writeFileSync(
      join(work, 'vmlinux.elf'),
      unpackKernel(join(work, 'root', 'boot', `vmlinuz-${kernel.release}`)),
    );
    extractBtf(join(work, 'vmlinux.elf'), join(out, 'vmlinux'));
    for (const [name, file] of findModules(
      join(work, 'root', 'lib/modules', kernel.release),
      kernel.modules,
    )) {
      extractBtf(unpackModule(file), join(out, name));
    }
    // At once, so that what is there is always whole.
    renameSync(out, target);
    console.log(`${kernel.package} ${kernel.version}: ${readdirSync(target).join(', ')}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function download({ package: name, version, sha256 }, work) {
  run('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', `${name}=${version}`], { cwd: work });
  const deb = join(
    work,
    readdirSync(work).find((file) => file.endsWith('.deb')),
  );
  const actual = createHash('sha256').update(readFileSync(deb)).digest('hex');
  if (actual !== sha256) throw new Error(`${basename(deb)} has SHA-256 ${actual}; expected ${sha256}`);
  return deb;
}

/** The ELF file within a bzImage: Documentation/arch/x86/boot.rst says where it lies. */
function unpackKernel(file) {
  const image = readFileSync(file);
  const setupBytes = (image[0x1f1] + 1) * 512;
  const start = setupBytes + image.readUInt32LE(0x248);
  const payload = image.subarray(start, start + image.readUInt32LE(0x24c));
  const magic = payload.subarray(0, 4).toString('hex');
  const decompressor = DECOMPRESSORS[magic];
  if (decompressor === undefined) throw new Error(`${file} is compressed in an unknown way: ${magic}`);
  // The last four bytes are the size, behind the compressed stream; lz4 and xz need them gone.
  const stream = payload.subarray(0, payload.length - 4);
  return run(decompressor[0], decompressor.slice(1), { input: stream });
}

function unpackModule(file) {
  if (!file.endsWith('.xz')) return file;
  const unpacked = file.slice(0, -3);
  writeFileSync(unpacked, run('xz', ['-dc', file]));
  return unpacked;
}

function* findModules(dir, names) {
  const files = readdirSync(dir, { recursive: true });
  for (const name of names) {
    const found = files.find((file) => [`${name}.ko`, `${name}.ko.xz`].includes(basename(file)));
    if (found === undefined) throw new Error(`no module ${name} in ${dir}`);
    yield [name, join(dir, found)];
  }
}

function extractBtf(elf, target) {
  run('objcopy', ['--dump-section', `.BTF=${target}`, elf, '/dev/null']);
}

function run(command, args, options = {}) {
  return execFileSync(command, args, { maxBuffer: 1 << 30, stdio: ['pipe', 'pipe', 'inherit'], ...options });
}
