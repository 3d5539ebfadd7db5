import { existsSync, readdirSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DaemonProcess } from './testing/daemon-process.js';
import { describeKernel } from './testing/describe-kernel.js';
import { InstalledPackages } from './testing/installed-packages.js';

const require = createRequire(import.meta.url);

/** What each consumer in testdata/consumers prints. */
const SEEN = { service: 'btf.v1.BtfService', first: 'vmlinux', listHead: 16, loaded: 'user' };

describeKernel('the packages, packed and installed by npm without a compiler', () => {
  let installed: InstalledPackages;
  let daemon: DaemonProcess;

  beforeAll(async () => {
    installed = new InstalledPackages();
    daemon = await DaemonProcess.start({ btfd: join(installed.project, 'node_modules/.bin/btfd') });
  }, 180_000);

  afterAll(async () => {
    await daemon?.[Symbol.asyncDispose]();
    installed?.[Symbol.dispose]();
  });

  test('have no tests in them', () => {
    const scope = join(installed.project, 'node_modules/@btfd');
    const files = readdirSync(scope, { recursive: true, encoding: 'utf8' });
    expect(files.filter((file) => /[.]test[.]|(^|\/)testdata\//.test(file))).toEqual([]);
    expect(files.filter((file) => file.endsWith('package.json')).length).toBeGreaterThan(4);
  });

  test.each([
    ['publint', ['run', '--strict']],
    // ES modules alone, which require() takes from Node 20.19 on.
    ['attw', ['--profile', 'esm-only', '--no-color', '--no-emoji', '--format', 'ascii']],
  ])('are what %s wants', (judge, options) => {
    const bin = fileURLToPath(new URL(`../node_modules/.bin/${judge}`, import.meta.url));
    for (const tarball of installed.tarballs) {
      const { status, stdout, stderr } = spawnSync(bin, [...options, tarball], { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${tarball}:\n${stdout}${stderr}`);
    }
  });

  test('have their license and a readme', () => {
    for (const name of readdirSync(join(installed.project, 'node_modules/@btfd'))) {
      const files = readdirSync(join(installed.project, 'node_modules/@btfd', name));
      expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md']));
    }
  });

  test('bring the addon prebuilt', () => {
    const native = join(installed.project, 'node_modules/@btfd/native');
    expect(existsSync(join(native, `prebuilds/linux-${process.arch}/btfd_native.glibc.node`))).toBe(true);
    expect(existsSync(join(native, 'build'))).toBe(false);
  });

  test.each(['esm.mjs', 'cjs.cjs'])('list, load and read specs in %s', (consumer) => {
    const { stdout, stderr } = installed.run([consumer, daemon.address]);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(SEEN);
  });

  test.each([
    ['TypeScript 5', 'typescript5/package.json'],
    ['the newest TypeScript', 'typescript/package.json'],
  ])('are sound under strict to %s', (_, manifest) => {
    const tsc = join(dirname(require.resolve(manifest)), 'bin/tsc');
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022'];
    const lib = ['--lib', 'es2023,esnext.disposable', '--types', 'node'];
    const { stdout, status } = installed.run([tsc, ...options, ...lib, 'typed.mts']);
    expect([stdout, status]).toEqual(['', 0]);
  });

  test('say what to install where there is neither a prebuilt addon nor a compiler', () => {
    const native = join(installed.project, 'node_modules/@btfd/native');
    const prebuilds = join(native, 'prebuilds');
    renameSync(prebuilds, `${prebuilds}.away`);
    try {
      const { status, stderr } = installed.run([join(native, 'scripts/build-addon.js'), '--unless-loadable']);
      expect(status).toBe(1);
      expect(stderr).toContain('needs a C++17 compiler, make and Python 3');
    } finally {
      renameSync(`${prebuilds}.away`, prebuilds);
    }
  });

  test('build the addon where there is a compiler and nothing prebuilt', () => {
    const native = join(installed.project, 'node_modules/@btfd/native');
    const prebuilds = join(native, 'prebuilds');
    renameSync(prebuilds, `${prebuilds}.away`);
    try {
      const args = [join(native, 'scripts/build-addon.js'), '--unless-loadable'];
      const { status, stderr } = spawnSync(process.execPath, args, { cwd: native, encoding: 'utf8' });
      expect({ status, stderr }).toMatchObject({ status: 0 });
      expect(existsSync(join(native, 'build/Release/btfd_native.node'))).toBe(true);
      const { stdout } = installed.run(['esm.mjs', daemon.address]);
      expect(JSON.parse(stdout)).toEqual(SEEN);
    } finally {
      renameSync(`${prebuilds}.away`, prebuilds);
    }
  }, 120_000);
});
