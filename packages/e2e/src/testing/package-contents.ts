import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { entryPointsOf, importAll, requireAll, typesOfAll } from './entry-points.js';
import type { InstalledPackages } from './installed-packages.js';
import { missingImports, namedMaps } from './packed-modules.js';
import { attw, publint } from './package-judges.js';
import { brokenReferences } from './package-references.js';

const require = createRequire(import.meta.url);
const { version: VERSION }: { version: string } = require('../../package.json');

/** The most that the packages of the client, which are ours, may have in all their files. */
const CLIENT_BYTES = 1.5 * 2 ** 20;

const COMPILERS = [
  ['TypeScript 5', 'typescript5/package.json'],
  ['the newest TypeScript', 'typescript/package.json'],
] as const;

/** testContents declares the tests of the files and types of packages, which need no daemon and no command. */
export function testContents(installed: () => InstalledPackages): void {
  const native = (): string => join(installed().scope, 'native');

  test('have no tests in them, and nothing that only tests need', () => {
    const files = installed().files();
    const unwanted = /[.]test[.]|(^|\/)(testdata|testing)(\/|$)|[.]tsbuildinfo$|(^|\/)[.]/;
    expect(files.filter((file) => unwanted.test(file))).toEqual([]);
    // That in cli/bin says that the command is CommonJS.
    expect(files.filter((file) => file.endsWith('package.json'))).toHaveLength(8);
  });

  test('have the files that their modules and declarations import', () => {
    // Only the checkout has ES modules of btfctl.
    expect(missingImports(installed())).toEqual(['cli/bin/btfctl.js → ../dist/main.js']);
  });

  test('have no sources in them, and source maps with their sources only for programs', () => {
    const files = installed().files();
    expect(files.filter((file) => /(^|\/)src\/|(?<![.]d)[.]ts$/.test(file))).toEqual([]);
    const maps = files.filter((file) => file.endsWith('.map'));
    expect(new Set(maps.map((file) => file.split('/')[0]))).toEqual(new Set(['cli', 'server']));
    for (const map of maps) {
      const { sources, sourcesContent }: { sources: string[]; sourcesContent: string[] } = JSON.parse(
        installed().text(map),
      );
      expect(sourcesContent).toHaveLength(sources.length);
      expect(sources.filter((source) => !/^(?:packages|native|node_modules)\//.test(source))).toEqual([]);
    }
    expect(namedMaps(installed()).toSorted()).toEqual(maps.toSorted());
  });

  test('have few modules, and no code twice', () => {
    const points = entryPointsOf(installed()).modules;
    for (const name of ['api', 'btf', 'client', 'fleet', 'native']) {
      const own = points.filter((point) => `${point}/`.startsWith(`@btfd/${name}/`));
      const modules = installed()
        .files()
        .filter((file) => file.startsWith(`${name}/dist/`) && file.endsWith('.js'));
      // Each entry point, a chunk for what it shares with others, and one for what it loads when needed.
      expect(modules.length).toBeLessThanOrEqual(3 * own.length);
    }
    for (const name of readdirSync(installed().scope)) {
      const modules = installed().bundledModules(name);
      expect(modules.length).toBeGreaterThan(1);
      expect(modules).toHaveLength(new Set(modules).size);
    }
  });

  test('have no code cache in the daemon, which may run as root', () => {
    const files = installed()
      .files()
      .filter((file) => /^(?:native|server)\/(?:bin|dist)\/.*[.]js$/.test(file));
    expect(files).toContain('server/bin/btfd.js');
    expect(files.filter((file) => /compile-?cache|cachedData/i.test(installed().text(file)))).toEqual([]);
  });

  test('have a library of the format that browsers can load', () => {
    expect(installed().text('btf/dist/index.js')).not.toMatch(/^import |require\(|["']node:/m);
  });

  test('have doc comments in their declarations', () => {
    for (const file of ['btf/dist/spec.d.ts', 'client/dist/client.d.ts', 'server/dist/daemon.d.ts']) {
      expect(installed().text(file)).toMatch(/^\/[*][*]/m);
    }
  });

  test.each(['cli', 'server'])('have the licenses of all dependencies that %s includes', (name) => {
    const bundled = installed()
      .bundledModules(name)
      .flatMap((module) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(module)?.[1] ?? []);
    const licenses = installed().text(`${name}/THIRD-PARTY-LICENSES.txt`);
    const named = [...licenses.matchAll(/^={80}\n\n(\S+) (\S+), \S/gm)].map(([, of = '']) => of);
    expect(bundled.length).toBeGreaterThan(10);
    expect([...new Set(bundled)].toSorted()).toEqual([...new Set(named)].toSorted());
  });

  test('install no dependencies for btfctl, and none that make certificates or build the addon', () => {
    const of = (name: string): string[] =>
      installed()
        .manifests()
        .filter((manifest) => manifest.name === name)
        .flatMap(({ dependencies = {} }) => Object.keys(dependencies));
    expect(of('@btfd/cli')).toEqual([]);
    expect(of('@btfd/server').toSorted()).toEqual(['@btfd/native', '@opentelemetry/api', 'pino']);
    const folders = readdirSync(join(installed().project, 'node_modules'));
    expect(
      folders.filter((folder) => /^(?:@peculiar|reflect-metadata|tsyringe|node-gyp)$/.test(folder)),
    ).toEqual([]);
  });

  test('have one version, and depend on one another in exactly that version', () => {
    const manifests = installed().manifests();
    expect(manifests.map(({ version }) => version)).toEqual(manifests.map(() => VERSION));
    const between = manifests.flatMap(({ dependencies = {} }) =>
      Object.entries(dependencies).filter(([name]) => name.startsWith('@btfd/')),
    );
    expect(between.map(([name]) => name).toSorted()).toEqual([
      '@btfd/api',
      '@btfd/btf',
      '@btfd/btf',
      '@btfd/client',
      '@btfd/native',
    ]);
    expect(between.filter(([, range]) => range !== VERSION)).toEqual([]);
  });

  test.each([
    ['publint', publint],
    ['attw', attw],
  ])('pass %s', (_, judge) => {
    for (const tarball of installed().tarballs) {
      const { status, stdout, stderr } = judge(tarball);
      if (status !== 0) throw new Error(`${tarball}:\n${stdout}${stderr}`);
    }
  });

  test('fail attw if the declared types do not exist', () => {
    const dir = mkdtempSync(join(installed().dir, 'broken-'));
    cpSync(join(installed().scope, 'client'), join(dir, 'package'), { recursive: true });
    const manifest = join(dir, 'package/package.json');
    const broken = readFileSync(manifest, 'utf8').replace('fake-daemon/index.d.ts', 'fake-daemon/gone.d.ts');
    writeFileSync(manifest, broken);
    execFileSync('tar', ['czf', 'broken.tgz', 'package'], { cwd: dir });
    const { status, stdout } = attw(join(dir, 'broken.tgz'));
    expect([status, stdout]).toEqual([1, expect.stringContaining('FallbackCondition')]);
  });

  test('have their license, a readme, a changelog, and the steps to report a vulnerability', () => {
    for (const name of readdirSync(installed().scope)) {
      const files = readdirSync(join(installed().scope, name));
      expect(files).toEqual(expect.arrayContaining(['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md']));
    }
  });

  test('have every file that their texts name', () => {
    expect(brokenReferences(installed())).toEqual([]);
  });

  test('have the contract as files, and as a descriptor set with all imports', () => {
    const root = fileURLToPath(new URL('../../../..', import.meta.url));
    const files = readdirSync(join(root, 'proto/btf/v1')).map((file) => `btf/v1/${file}`);
    for (const file of files) {
      expect(installed().text(`api/proto/${file}`)).toBe(readFileSync(join(root, 'proto', file), 'utf8'));
    }
    const bytes = readFileSync(join(installed().scope, 'api/btf-v1.binpb'));
    const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
    expect([...registry.files].map(({ proto }) => proto.name)).toEqual(
      expect.arrayContaining([...files, 'google/rpc/error_details.proto', 'google/protobuf/duration.proto']),
    );
    expect(registry.getService('btf.v1.BtfService')?.methods.length).toBeGreaterThan(10);
  });

  test('have at most 1.5 MiB of our own for the client', () => {
    const sizes = ['api', 'btf', 'client'].map((name) => {
      const files = installed()
        .files()
        .filter((file) => file.startsWith(`${name}/`));
      const size = files
        .map((file) => statSync(join(installed().scope, file)))
        .filter((stat) => stat.isFile());
      return { name, bytes: size.reduce((sum, stat) => sum + stat.size, 0) };
    });
    const bytes = sizes.reduce((sum, size) => sum + size.bytes, 0);
    if (bytes > CLIENT_BYTES)
      throw new Error(`the client has ${bytes} bytes of ours: ${JSON.stringify(sizes)}`);
  });

  test('name functions and lines of libraries in stack traces', () => {
    const program = "import { Spec } from '@btfd/btf'; Spec.parse(new Uint8Array(3));";
    const { stderr } = installed().run(['--input-type=module', '-e', program]);
    expect(stderr).toMatch(/BtfFormatError: /);
    expect(stderr).toMatch(/at (?:Function|Spec)[.]parse .*\/btf\/dist\/index[.]js:[1-9]\d+:\d+/);
    // Each statement has its own line.
    const longest = Math.max(
      ...installed()
        .text('btf/dist/index.js')
        .split('\n')
        .map(({ length }) => length),
    );
    expect(longest).toBeLessThan(1500);
  });

  test('include the prebuilt addon', () => {
    expect(existsSync(join(native(), `prebuilds/linux-${process.arch}/btfd_native.glibc.node`))).toBe(true);
    expect(existsSync(join(native(), 'build'))).toBe(false);
  });

  needs('readelf').test(
    'include an addon that needs no libstdc++, and no newer C library than the documents say',
    () => {
      const operations = readFileSync(new URL('../../../../docs/operations.md', import.meta.url), 'utf8');
      const floor = Number(/glibc 2[.](\d+) or newer/.exec(operations)?.[1]);
      const addons = readdirSync(join(native(), 'prebuilds')).map((dir) =>
        join(native(), 'prebuilds', dir, 'btfd_native.glibc.node'),
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

  test.each([
    ['imported', 'all.mjs', importAll],
    ['required by CommonJS', 'all.cjs', requireAll],
  ])('each entry point can be %s', (_, file, program) => {
    const points = entryPointsOf(installed());
    expect(points.modules).toEqual(
      expect.arrayContaining([
        '@btfd/client/testing',
        '@btfd/client/fd',
        '@btfd/server/certs',
        '@btfd/api/grpc-js',
      ]),
    );
    expect(points.jsons.length).toBeGreaterThan(5);
    writeFileSync(join(installed().project, file), program(points));
    const { stdout, stderr, status } = installed().run([file]);
    if (status !== 0) throw new Error(stderr);
    const counts: Record<string, number> = JSON.parse(stdout);
    expect(Object.keys(counts)).toEqual([...points.modules, ...points.jsons]);
    expect(Object.values(counts)).not.toContain(0);
  });

  test.each(COMPILERS)('pass the strict checks of %s', (_, manifest) => {
    linkOptionalPeers(installed());
    const files = (['mts', 'cts'] as const).map((kind) => {
      writeFileSync(
        join(installed().project, `all-types.${kind}`),
        typesOfAll(entryPointsOf(installed()), kind),
      );
      return `all-types.${kind}`;
    });
    const tsc = join(dirname(require.resolve(manifest)), 'bin/tsc');
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022'];
    const lib = ['--lib', 'es2023,esnext.disposable', '--types', 'node'];
    const { stdout, status } = installed().run([tsc, ...options, ...lib, 'typed.mts', ...files]);
    expect(typeErrors(stdout, status)).toEqual([]);
  });

  test('have types for CommonJS with `moduleResolution: node`, at each entry point', () => {
    linkOptionalPeers(installed());
    writeFileSync(join(installed().project, 'all-types.ts'), typesOfAll(entryPointsOf(installed()), 'cts'));
    const tsc = join(dirname(require.resolve('typescript5/package.json')), 'bin/tsc');
    const options = ['--noEmit', '--strict', '--module', 'commonjs', '--moduleResolution', 'node'];
    const lib = ['--target', 'es2022', '--esModuleInterop', '--types', 'node'];
    const { stdout, status } = installed().run([tsc, ...options, ...lib, 'all-types.ts']);
    expect(typeErrors(stdout, status)).toEqual([]);
  });

  test('have each class once, so that instanceof works across packages', () => {
    const { stdout, stderr } = installed().run(['classes.mjs']);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ spec: true, required: true, formatError: true, btfError: true });
  });
}

/** Installs the optional peers of the packages, whose types some entry points need, from the packages of the workspace. */
function linkOptionalPeers(installed: InstalledPackages): void {
  for (const { name, peerDependencies = {} } of installed.manifests()) {
    const folder = new URL(`../../../${name.slice('@btfd/'.length)}/node_modules/`, import.meta.url);
    for (const peer of Object.keys(peerDependencies)) {
      const link = join(installed.project, 'node_modules', peer);
      if (existsSync(link)) continue;
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(fileURLToPath(new URL(peer, folder)), link);
    }
  }
}

/** Returns the errors of tsc, except those in declarations of other packages, whose own dependencies pnpm does not hoist. */
function typeErrors(stdout: string, status: number | null): string[] {
  const lines = stdout.split('\n').filter((line) => / error TS\d+: /.test(line));
  if (status !== 0 && lines.length === 0) return [`tsc ended with ${String(status)}: ${stdout}`];
  return lines.filter((line) => !line.startsWith('../') || line.includes('/@btfd/'));
}
