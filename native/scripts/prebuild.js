/**
 * Builds the addon into `prebuilds/` for each architecture for which it is shipped, on glibc. Every other system
 * builds it at install.
 *
 *   node scripts/prebuild.js          # for this machine's architecture, and for arm64 or x64 if its cross compiler is installed
 *   node scripts/prebuild.js --all    # fails if a compiler is missing
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownHeaders } from './own-headers.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

/**
 * Links libstdc++ into the addon, because the library of a user's system may be older than this compiler. Unused parts
 * are left out, because some need a newer C library, and `cc/old-libc.cc` replaces one. Builds at install link dynamically: not every system has
 * libstdc++.a.
 */
const LDFLAGS = '-static-libstdc++ -Wl,--gc-sections -Wl,--exclude-libs,ALL';

/** Debian's names for the toolchains. */
const TOOLCHAINS = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

const missing = Object.entries(TOOLCHAINS).filter(([arch, triplet]) => !prebuild(arch, triplet));
if (missing.length > 0 && process.argv.includes('--all')) {
  console.error(`no compiler for ${missing.map(([arch, triplet]) => `${arch}: ${triplet}-g++`).join(', ')}`);
  process.exitCode = 1;
}

/** @returns {boolean} whether there is a compiler for the architecture */
function prebuild(arch, triplet) {
  const tools =
    arch === process.arch
      ? ['gcc', 'g++', 'strip']
      : ['gcc', 'g++', 'strip'].map((tool) => `${triplet}-${tool}`);
  const [cc, cxx, strip] = tools;
  if (spawnSync(cxx, ['--version']).status !== 0) return false;
  // In another folder, because `build/` has the addon of this machine, which takes precedence over prebuilt ones.
  const dir = mkdtempSync(path.join(tmpdir(), 'btfd-prebuild-'));
  try {
    for (const name of ['binding.gyp', 'cc', 'package.json'])
      cpSync(path.join(root, name), path.join(dir, name), { recursive: true });
    symlinkSync(path.join(root, 'node_modules'), path.join(dir, 'node_modules'));
    const args = [
      '--napi',
      '--tag-libc',
      '--name',
      'btfd_native',
      '--arch',
      arch,
      '--strip',
      '--strip-bin',
      strip,
    ];
    const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');
    const { status } = spawnSync(
      process.execPath,
      [require.resolve('prebuildify/bin.js'), ...args, '--node-gyp', nodeGyp],
      {
        cwd: dir,
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, CC: cc, CXX: cxx, LDFLAGS, ...ownHeaders() },
      },
    );
    if (status !== 0) throw new Error(`the addon cannot be built for ${arch}`);
    const from = path.join(dir, 'prebuilds', `linux-${arch}`);
    const to = path.join(root, 'prebuilds', `linux-${arch}`);
    rmSync(to, { recursive: true, force: true });
    mkdirSync(path.dirname(to), { recursive: true });
    cpSync(from, to, { recursive: true });
    if (!existsSync(path.join(to, 'btfd_native.glibc.node')))
      throw new Error(`prebuildify built no addon for ${arch}`);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  return true;
}
