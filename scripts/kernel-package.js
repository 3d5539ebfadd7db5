// Opens Debian's packages of kernels.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { download } from './apt-sources.js';

/** The command that decompresses the payload of a bzImage, by the magic of the payload. */
const DECOMPRESSORS = {
  '02214c18': ['lz4', '-dc'],
  fd377a58: ['xz', '-dc'],
  '28b52ffd': ['zstd', '-dc'],
  '1f8b0800': ['gzip', '-dc'],
};

/**
 * openPackages downloads the packages of a kernel and unpacks them into a folder.
 *
 * @param update the command that pins the newest packages.
 * @returns `vmlinuz`: its path; `modules`: the path of each module, by name; `folder`: the folder with the release’s name
 *   that has all modules.
 */
export function openPackages({ release, packages }, work, update) {
  const root = join(work, 'root');
  for (const { name, version, sha256 } of packages) {
    run('dpkg-deb', ['-x', download({ package: `${name}-${release}`, version, sha256 }, work, update), root]);
  }
  const files = readdirSync(root, { recursive: true }).map((file) => join(root, file));
  const vmlinuz = files.find((file) => basename(file).startsWith('vmlinuz'));
  const modules = new Map();
  for (const file of files) {
    const [, name] = /^(.*)\.ko(?:|\.xz)$/.exec(basename(file)) ?? [];
    if (name !== undefined) modules.set(name, file);
  }
  // Newer packages have it in /usr/lib/modules.
  const folder = files.find((file) => basename(file) === release && basename(dirname(file)) === 'modules');
  return { vmlinuz, modules, folder };
}

/**
 * dependencies returns the names of modules and of all that they need, each with the modules that it needs, as insmod
 * must load them: the last one first. It skips names that the kernel does not have.
 */
export function dependencies({ folder }, names) {
  // depmod looks for BASE/lib/modules/RELEASE.
  run('depmod', ['--basedir', join(folder, '../../..'), basename(folder)]);
  const needed = new Map(
    readFileSync(join(folder, 'modules.dep'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(/:? /).filter((path) => path !== ''))
      .map(([path, ...others]) => [moduleName(path), others.map(moduleName)]),
  );
  const closure = new Set(names.flatMap((name) => (needed.has(name) ? [name, ...needed.get(name)] : [])));
  return new Map([...closure].toSorted((a, b) => a.localeCompare(b)).map((name) => [name, needed.get(name)]));
}

function moduleName(path) {
  return basename(path).replace(/\.ko.*$/, '');
}

/** unpackKernel returns the ELF file in a bzImage. Documentation/arch/x86/boot.rst describes the format. */
export function unpackKernel(file) {
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

/** unpackModule returns the ELF file of a module. */
export function unpackModule(path) {
  return path.endsWith('.xz') ? run('xz', ['-dc', path]) : readFileSync(path);
}

/** run runs a command and returns its output. */
export function run(command, args, options = {}) {
  return execFileSync(command, args, { maxBuffer: 1 << 30, stdio: ['pipe', 'pipe', 'inherit'], ...options });
}
