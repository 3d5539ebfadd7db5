import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Encoding } from '@btfd/api';
import { DaemonProcess } from './testing/daemon-process.js';
import { entryPointsOf, importAll, requireAll, typesOfAll } from './testing/entry-points.js';
import { InstalledPackages } from './testing/installed-packages.js';
import { missingImports, namedMaps } from './testing/packed-modules.js';
import { attw, publint } from './testing/package-judges.js';
import { RawClient } from './testing/raw-client.js';
import { until } from './testing/until.js';

const require = createRequire(import.meta.url);
const { version: VERSION }: { version: string } = require('../package.json');

/** The output of each consumer in testdata/consumers. */
const SEEN = { service: 'btf.v1.BtfService', first: 'vmlinux', listHead: 16, loaded: 'user' };

const COMPILERS = [
  ['TypeScript 5', 'typescript5/package.json'],
  ['the newest TypeScript', 'typescript/package.json'],
] as const;

const NO_METRICS = ['--metrics-listen', 'off'];

/** Makes node-gyp-build look for an addon for musl, which is not shipped. */
const MUSL = { LIBC: 'musl' } as const;

needs('bpf').describe('the packages, packed and installed by npm without a compiler', () => {
  let installed: InstalledPackages;
  let native: string;
  /** The folder with the commands of the global installation. */
  let bin: string;
  let daemon: DaemonProcess;

  beforeAll(async () => {
    installed = new InstalledPackages();
    native = join(installed.scope, 'native');
    bin = installed.installGlobally();
    // A symbolic link, as users start it.
    daemon = await DaemonProcess.start({ btfd: join(bin, 'btfd') });
  });

  afterAll(async () => {
    await daemon?.[Symbol.asyncDispose]();
    installed?.[Symbol.dispose]();
  });

  test('have no tests in them, and nothing that only tests need', () => {
    const files = installed.files();
    const unwanted = /[.]test[.]|(^|\/)(testdata|testing)(\/|$)|[.]tsbuildinfo$|(^|\/)[.]/;
    expect(files.filter((file) => unwanted.test(file))).toEqual([]);
    expect(files.filter((file) => file.endsWith('package.json'))).toHaveLength(6);
  });

  test('have the files that their modules and declarations import', () => {
    expect(missingImports(installed)).toEqual([]);
  });

  test('have no sources in them, and source maps with their sources only for programs', () => {
    const files = installed.files();
    expect(files.filter((file) => /(^|\/)src\/|(?<![.]d)[.]ts$/.test(file))).toEqual([]);
    const maps = files.filter((file) => file.endsWith('.map'));
    expect(new Set(maps.map((file) => file.split('/')[0]))).toEqual(new Set(['cli', 'server']));
    for (const map of maps) {
      const { sources, sourcesContent }: { sources: string[]; sourcesContent: string[] } = JSON.parse(
        installed.text(map),
      );
      expect(sourcesContent).toHaveLength(sources.length);
      expect(sources.filter((source) => !/^(?:packages|native|node_modules)\//.test(source))).toEqual([]);
    }
    expect(namedMaps(installed).toSorted()).toEqual(maps.toSorted());
  });

  test('have few modules, and no code twice', () => {
    const points = entryPointsOf(installed).modules;
    for (const name of ['api', 'btf', 'client', 'native']) {
      const own = points.filter((point) => `${point}/`.startsWith(`@btfd/${name}/`));
      const modules = installed
        .files()
        .filter((file) => file.startsWith(`${name}/dist/`) && file.endsWith('.js'));
      // Each entry point, and a chunk for what it shares with others.
      expect(modules.length).toBeLessThanOrEqual(2 * own.length);
    }
    for (const name of readdirSync(installed.scope)) {
      const modules = installed.bundledModules(name);
      expect(modules.length).toBeGreaterThan(1);
      expect(modules).toHaveLength(new Set(modules).size);
    }
  });

  test('have no code cache in the daemon, which may run as root', () => {
    const files = installed.files().filter((file) => /^(?:native|server)\/(?:bin|dist)\/.*[.]js$/.test(file));
    expect(files).toContain('server/bin/btfd.js');
    expect(files.filter((file) => /compile-?cache|cachedData/i.test(installed.text(file)))).toEqual([]);
  });

  test('have a library of the format that browsers can load', () => {
    expect(installed.text('btf/dist/index.js')).not.toMatch(/^import |require\(|["']node:/m);
  });

  test('have doc comments in their declarations', () => {
    for (const file of ['btf/dist/spec.d.ts', 'client/dist/client.d.ts', 'server/dist/daemon.d.ts']) {
      expect(installed.text(file)).toMatch(/^\/[*][*]/m);
    }
  });

  test('have each class once, so that instanceof works across packages', () => {
    const { stdout, stderr } = installed.run(['classes.mjs']);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ spec: true, required: true, formatError: true, btfError: true });
  });

  test.each(['cli', 'server'])('have the licenses of all dependencies that %s includes', (name) => {
    const bundled = installed
      .bundledModules(name)
      .flatMap((module) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(module)?.[1] ?? []);
    const licenses = installed.text(`${name}/THIRD-PARTY-LICENSES.txt`);
    const named = [...licenses.matchAll(/^={80}\n\n(\S+) (\S+), \S/gm)].map(([, of = '']) => of);
    expect(bundled.length).toBeGreaterThan(10);
    expect([...new Set(bundled)].toSorted()).toEqual([...new Set(named)].toSorted());
  });

  test('install no dependencies for btfctl, and none that make certificates or build the addon', () => {
    const of = (name: string): string[] =>
      installed
        .manifests()
        .filter((manifest) => manifest.name === name)
        .flatMap(({ dependencies = {} }) => Object.keys(dependencies));
    expect(of('@btfd/cli')).toEqual([]);
    expect(of('@btfd/server')).toEqual(expect.arrayContaining(['pino', '@opentelemetry/api', '@btfd/btf']));
    const folders = readdirSync(join(installed.project, 'node_modules'));
    expect(
      folders.filter((folder) => /^(?:@peculiar|reflect-metadata|tsyringe|node-gyp)$/.test(folder)),
    ).toEqual([]);
  });

  test('have one version, and depend on one another in exactly that version', () => {
    const manifests = installed.manifests();
    expect(manifests.map(({ version }) => version)).toEqual(manifests.map(() => VERSION));
    const between = manifests.flatMap(({ dependencies = {} }) =>
      Object.entries(dependencies).filter(([name]) => name.startsWith('@btfd/')),
    );
    expect(between.length).toBeGreaterThan(4);
    expect(between.filter(([, range]) => range !== VERSION)).toEqual([]);
  });

  test('include no addon for the client, which says what to install for file descriptors', () => {
    const client = installed.manifests().find(({ name }) => name === '@btfd/client');
    expect(client).toMatchObject({
      peerDependencies: { '@btfd/native': VERSION },
      peerDependenciesMeta: { '@btfd/native': { optional: true } },
    });
    const dir = mkdtempSync(join(installed.dir, 'without-native-'));
    cpSync(join(installed.project, 'node_modules'), join(dir, 'node_modules'), {
      recursive: true,
      filter: (path) => path !== native,
    });
    const program = `
      await import('@btfd/client');
      const { handleFd } = await import('@btfd/client/fd');
      await handleFd('token', '/x').catch((error) => console.log(error.reason, error.message));`;
    const args = ['--input-type=module', '-e', program];
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: dir, encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({
      stdout: expect.stringMatching(/^NATIVE_MISSING .*`npm install @btfd\/native` \(Cannot find package/),
      stderr: '',
    });
  });

  test.each([
    ['publint', publint],
    ['attw', attw],
  ])('pass %s', (_, judge) => {
    for (const tarball of installed.tarballs) {
      const { status, stdout, stderr } = judge(tarball);
      if (status !== 0) throw new Error(`${tarball}:\n${stdout}${stderr}`);
    }
  });

  test('fail attw if the declared types do not exist', () => {
    const dir = mkdtempSync(join(installed.dir, 'broken-'));
    cpSync(join(installed.scope, 'client'), join(dir, 'package'), { recursive: true });
    const manifest = join(dir, 'package/package.json');
    const broken = readFileSync(manifest, 'utf8').replace('fake-daemon/index.d.ts', 'fake-daemon/gone.d.ts');
    writeFileSync(manifest, broken);
    execFileSync('tar', ['czf', 'broken.tgz', 'package'], { cwd: dir });
    const { status, stdout } = attw(join(dir, 'broken.tgz'));
    expect([status, stdout]).toEqual([1, expect.stringContaining('FallbackCondition')]);
  });

  test('have their license and a readme', () => {
    for (const name of readdirSync(installed.scope)) {
      const files = readdirSync(join(installed.scope, name));
      expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md']));
    }
  });

  test('include the prebuilt addon', () => {
    expect(existsSync(join(native, `prebuilds/linux-${process.arch}/btfd_native.glibc.node`))).toBe(true);
    expect(existsSync(join(native, 'build'))).toBe(false);
  });

  needs('readelf').test(
    'include an addon that needs no libstdc++, and no newer C library than the documents say',
    () => {
      const operations = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
      const floor = Number(/glibc 2[.](\d+) or newer/.exec(operations)?.[1]);
      const addons = readdirSync(join(native, 'prebuilds')).map((dir) =>
        join(native, 'prebuilds', dir, 'btfd_native.glibc.node'),
      );
      for (const addon of addons) {
        // readelf reads the names in files of another architecture too, although not their code.
        const text = execFileSync('readelf', ['--wide', '--dynamic', '--version-info', addon], {
          encoding: 'utf8',
        });
        expect(text).toContain('[libc.so.6]');
        expect(text).not.toContain('[libstdc++.so.6]');
        const minors = [...text.matchAll(/GLIBC_2[.](\d+)/g)].map(([, minor]) => Number(minor));
        expect(Math.max(...minors)).toBeLessThanOrEqual(floor);
      }
    },
  );

  test.each(['esm.mjs', 'cjs.cjs'])('list, load and read specs in %s', (consumer) => {
    const { stdout, stderr } = installed.run([consumer, daemon.address]);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(SEEN);
  });

  test.each([
    ['imported', 'all.mjs', importAll],
    ['required by CommonJS', 'all.cjs', requireAll],
  ])('each entry point can be %s', (_, file, program) => {
    const points = entryPointsOf(installed);
    expect(points.modules).toEqual(
      expect.arrayContaining([
        '@btfd/client/testing',
        '@btfd/client/fd',
        '@btfd/server/certs',
        '@btfd/api/grpc-js',
      ]),
    );
    expect(points.jsons.length).toBeGreaterThan(5);
    writeFileSync(join(installed.project, file), program(points));
    const { stdout, stderr, status } = installed.run([file]);
    if (status !== 0) throw new Error(stderr);
    const counts: Record<string, number> = JSON.parse(stdout);
    expect(Object.keys(counts)).toEqual([...points.modules, ...points.jsons]);
    expect(Object.values(counts)).not.toContain(0);
  });

  test.each(COMPILERS)('pass the strict checks of %s', (_, manifest) => {
    const files = (['mts', 'cts'] as const).map((kind) => {
      writeFileSync(join(installed.project, `all-types.${kind}`), typesOfAll(entryPointsOf(installed), kind));
      return `all-types.${kind}`;
    });
    const tsc = join(dirname(require.resolve(manifest)), 'bin/tsc');
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022'];
    const lib = ['--lib', 'es2023,esnext.disposable', '--types', 'node'];
    const { stdout, status } = installed.run([tsc, ...options, ...lib, 'typed.mts', ...files]);
    expect([stdout, status]).toEqual(['', 0]);
  });

  test('have types for CommonJS with `moduleResolution: node`, at each entry point', () => {
    writeFileSync(join(installed.project, 'all-types.ts'), typesOfAll(entryPointsOf(installed), 'cts'));
    const tsc = join(dirname(require.resolve('typescript5/package.json')), 'bin/tsc');
    const options = ['--noEmit', '--strict', '--module', 'commonjs', '--moduleResolution', 'node'];
    const lib = ['--target', 'es2022', '--esModuleInterop', '--types', 'node'];
    const { stdout, status } = installed.run([tsc, ...options, ...lib, 'all-types.ts']);
    expect([stdout, status]).toEqual(['', 0]);
  });

  test('have commands after a global installation, both with the same version', () => {
    const run = (command: string, ...args: string[]) => {
      const { stdout, stderr, status } = installed.run(args, { program: join(bin, command) });
      return { stdout, stderr, status };
    };
    expect(run('btfd', '--version')).toEqual({ stdout: `${VERSION}\n`, stderr: '', status: 0 });
    expect(run('btfctl', '--version')).toEqual({ stdout: `${VERSION}\n`, stderr: '', status: 0 });
    expect(run('btfctl', 'version')).toEqual({ stdout: `btfctl ${VERSION}\n`, stderr: '', status: 0 });
    expect(run('btfd', 'config', 'check')).toMatchObject({
      stdout: expect.stringMatching(/^listen +unix:/),
      status: 0,
    });
    expect(run('btfctl', '--address', daemon.address, 'list', '-o', 'name')).toMatchObject({
      stdout: expect.stringMatching(/^vmlinux$/m),
      stderr: '',
      status: 0,
    });
    expect(run('btfctl', '--address', daemon.address, 'info')).toMatchObject({
      stdout: expect.stringContaining(VERSION),
      status: 0,
    });
  });

  test('load no gRPC for btfctl on a file, and neither gRPC nor BTF parsing for its version', () => {
    const loadedBy = (...words: string[]): string[] => installed.modulesLoadedBy(join(bin, 'btfctl'), words);
    const ofVersion = loadedBy('version');
    const ofMember = loadedBy('member', 'list_head.next', '--in', '/sys/kernel/btf/vmlinux');
    const ofList = loadedBy('--address', daemon.address, 'list');
    const isOf = (part: string) => (module: string) => module.includes(part);
    expect(ofVersion.some(isOf('/commander/'))).toBe(true);
    expect(ofVersion.filter(isOf('packages/btf/'))).toEqual([]);
    expect(ofMember).toContain('packages/btf/dist/spec.js');
    // Only `check` and `load` prepare objects.
    expect(ofMember.filter(isOf('packages/btf/dist/object/'))).toEqual([]);
    expect(ofVersion.concat(ofMember).filter(isOf('grpc-js'))).toEqual([]);
    expect(ofList.some(isOf('/@grpc/grpc-js/'))).toBe(true);
  });

  test('make certificates with the dependencies that btfd includes', () => {
    const certs = join(installed.dir, 'certs');
    const { stdout, status } = installed.run(['certs', 'init', certs], { program: join(bin, 'btfd') });
    expect(status).toBe(0);
    expect(stdout.split('\n').filter((line) => existsSync(line))).toHaveLength(6);
    const server = new X509Certificate(readFileSync(join(certs, 'server.crt')));
    expect(server.verify(new X509Certificate(readFileSync(join(certs, 'ca.crt'))).publicKey)).toBe(true);
  });

  test('have the commands that a started daemon suggests', async () => {
    const args = ['--show', ...NO_METRICS, '--listen', `unix:${join(installed.dir, 'show.sock')}`];
    const btfd = spawn(join(bin, 'btfd'), args, { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      let printed = '';
      btfd.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
      await until('it suggests a next command', () => /^try next: .*\n/m.test(printed));
      const command = /^try next: (.*)$/m.exec(printed)?.[1] ?? '';
      const { stdout } = spawnSync('sh', ['-c', command], {
        encoding: 'utf8',
        env: { ...installed.bareEnv(), PATH: `${bin}:${installed.bareBin}` },
      });
      expect(stdout).toMatch(/^struct task_struct /);
    } finally {
      btfd.kill();
    }
  });

  test('complete in bash after a global installation', () => {
    const script = `
      source <(btfctl completion bash)
      complete() { COMP_WORDS=(btfctl "$@") COMP_CWORD=$#; _btfctl 2>/dev/null; echo "\${COMPREPLY[@]}"; }
      complete lay
      complete dump vmlin`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script], {
      encoding: 'utf8',
      cwd: installed.dir,
      env: {
        PATH: `${bin}:${process.env['PATH'] ?? ''}`,
        HOME: '/nonexistent',
        BTFD_ADDRESS: daemon.address,
      },
    });
    expect({ stdout, stderr }).toEqual({ stdout: 'layout\nvmlinux\n', stderr: '' });
  });

  test.each([Encoding.TYPES, Encoding.C])(
    'start workers for encoding %i in a daemon that a link starts',
    async (encoding) => {
      using client = new RawClient(daemon.address);
      const source = { case: 'name', value: 'vmlinux' } as const;
      const selection = { names: ['list_head'] };
      const parts: unknown[] = [];
      for await (const { part } of client.stream('spec', { source, encoding, selection }))
        parts.push(part.case);
      expect(parts).toContain(encoding === Encoding.C ? 'c' : 'types');
    },
  );

  test('say what to install if there is neither a prebuilt addon nor a compiler', () => {
    const script = join(native, 'scripts/build-addon.js');
    const { status, stderr } = installed.run([script, '--unless-loadable'], { env: MUSL });
    expect(status).toBe(1);
    expect(stderr).toContain('needs a C++17 compiler, make and Python 3');
    expect(installed.run([script, '--unless-loadable'])).toMatchObject({ status: 0, stderr: '' });
  });

  test('serve files over TCP without an addon, and say what is missing', async () => {
    // If another daemon had the metrics port, the log would name that port too, and tcpPort() could return it.
    const args = [...NO_METRICS, '--insecure', '--listen', '127.0.0.1:0', '--viewer', 'anonymous'];
    await using bare = await DaemonProcess.start({ btfd: join(bin, 'btfd'), args, env: MUSL });
    const btfctl = (...words: string[]) => installed.run(words, { program: join(bin, 'btfctl') });
    const tcp = `127.0.0.1:${bare.tcpPort() ?? ''}`;
    const { stdout } = btfctl('--address', tcp, 'dump', 'vmlinux', '--type', 'list_head', 'format', 'c');
    expect(stdout).toContain('struct list_head {');
    const refused = btfctl('--address', bare.address, 'list');
    expect(refused.stderr).toContain('`npm rebuild @btfd/native`');
    const info = btfctl('--address', tcp, 'info');
    expect(info.stdout).toContain('the addon of @btfd/native is not built');
  });

  test('build the addon if there is a compiler and no prebuilt addon', () => {
    // With the node-gyp of npm, because the package has none.
    const args = ['rebuild', '@btfd/native', '--foreground-scripts'];
    const env = { ...process.env, ...MUSL };
    const options = { cwd: installed.project, encoding: 'utf8', env } as const;
    const { status, stderr } = spawnSync('npm', args, options);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(existsSync(join(native, 'build/Release/btfd_native.node'))).toBe(true);
    const next = "console.log(require('@btfd/native').btfGetNextId(0) > 0)";
    expect(installed.run(['-e', next], { env: MUSL }).stdout).toBe('true\n');
  });
});
