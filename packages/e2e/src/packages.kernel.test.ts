import { spawn, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { endpoint, endpointSlice, KubernetesApi, kubeconfigOf } from 'test-tools/kubernetes-api';
import { Encoding } from '@btfd/api';
import { DaemonProcess } from './testing/daemon-process.js';
import { InstalledPackages, loadedFiles, modulesIn } from './testing/installed-packages.js';
import { testContents } from './testing/package-contents.js';
import { RawClient } from './testing/raw-client.js';
import { until } from './testing/until.js';

const require = createRequire(import.meta.url);
const { version: VERSION }: { version: string } = require('../package.json');

/** The output of each consumer in testdata/consumers. */
const SEEN = { service: 'btf.v1.BtfService', first: 'vmlinux', listHead: 16, loaded: 'user' };

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

  testContents(() => installed);

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

  test.each(['esm.mjs', 'cjs.cjs'])('list, load and read specs in %s', (consumer) => {
    const { stdout, stderr } = installed.run([consumer, daemon.address]);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(SEEN);
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

  needs('man').test(
    'have a manual after a global installation, with all commands and options of their help',
    () => {
      const man = (...words: string[]): string => {
        const { status, stdout, stderr } = spawnSync('man', ['--warnings', '--pager=cat', ...words], {
          encoding: 'utf8',
          // man finds the pages by the folder of the command.
          env: {
            PATH: `${bin}:${process.env['PATH']}`,
            HOME: installed.dir,
            LC_ALL: 'C.UTF-8',
            MANWIDTH: '200',
          },
        });
        expect([words, status, stderr]).toEqual([words, 0, '']);
        return stdout;
      };
      const help = (command: string, ...words: string[]): string =>
        installed.run([...words, '--help'], { program: join(bin, command) }).stdout;
      /** Returns the options and the commands in a help text. */
      const termsIn = (text: string): string[] =>
        [...text.matchAll(/^ {2}(?:-\w, )?(--[\w-]+|[a-z]+(?=[ |]))/gm)].map(([, term = '']) => term);
      for (const words of [['btfd'], ['btfctl'], ['btfctl', 'dump'], ['btfctl', 'fleet', 'kernels']]) {
        const page = man(words.join('-'));
        const [command = '', ...others] = words;
        const terms = termsIn(help(command, ...others));
        expect(terms.length).toBeGreaterThan(5);
        expect(terms.filter((term) => !new RegExp(`(?:^|\\s)${term}\\b`, 'm').test(page))).toEqual([]);
      }
      // A page for each command, which man also finds by its words.
      expect(man('btfctl', 'layout')).toContain('btfctl layout sk_buff');
      const names = [...man('btfctl').matchAll(/See (btfctl-\S+)[(]1[)]/g)].map(([, name = '']) => name);
      expect(names.length).toBeGreaterThan(15);
      for (const name of names) man(name);
    },
  );

  test('find etcd3 if it is installed beside btfctl, and otherwise say how to install it', () => {
    const run = () => {
      const args = ['fleet', 'kernels', '--etcd', '127.0.0.1:1'];
      const { stdout, stderr, status } = installed.run(args, { program: join(bin, 'btfctl') });
      return { stdout, stderr, status };
    };
    const without = run();
    expect(without).toEqual({
      stdout: '',
      stderr: expect.stringMatching(/install it with `npm install etcd3` \(Cannot find/),
      status: 1,
    });
    const etcd3 = createRequire(require.resolve('@btfd/fleet')).resolve('etcd3/package.json');
    symlinkSync(dirname(etcd3), join(bin, '../lib/node_modules/etcd3'));
    // The second time from its compiled code.
    for (const times of ['first', 'second']) {
      expect({ times, ...run() }).toEqual({
        times,
        stdout: '',
        stderr: expect.stringMatching(
          /^btfctl: etcd 127.0.0.1:1, keys .*: cannot be reached: .*ECONNREFUSED/,
        ),
        status: 6,
      });
    }
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

  test('load no client of gRPC, and few files, to start btfd', async () => {
    const coverage = mkdtempSync(join(installed.dir, 'loaded-'));
    const env = { NODE_V8_COVERAGE: coverage, BTFD_METRICS_LISTEN: '127.0.0.1:0' };
    {
      await using started = await DaemonProcess.start({ btfd: join(bin, 'btfd'), env });
      using client = new RawClient(started.address);
      await client.call('getServerInfo', {});
      // Node writes the coverage when the process ends, if it is not killed.
      await started.end();
    }
    const files = loadedFiles(coverage);
    const packages = files.map((file) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]);
    expect(new Set(packages)).toEqual(new Set(['@btfd/server', '@btfd/native', 'node-gyp-build']));
    const modules = files.flatMap((file) => modulesIn(readFileSync(file, 'utf8')));
    const part = (name: string): string[] => modules.filter((module) => module.includes(`/${name}`));
    expect(part('@grpc/grpc-js/build/src/server.js')).toHaveLength(1);
    expect(part('@grpc/grpc-js/build/src/client.js')).toEqual([]);
    for (const unused of ['@opentelemetry/', 'tdigest/', 'yaml/', 'pino-pretty/', '@peculiar/'])
      expect(part(unused)).toEqual([]);
  });

  test('find nodes in Kubernetes with a package beside btfctl, and say which one if it is missing', async () => {
    const slice = endpointSlice('btfd-a', {
      endpoints: [endpoint('web1', '127.0.0.1', { conditions: { ready: false } })],
    });
    await using api = await KubernetesApi.start({ slices: [slice] });
    const kubeconfig = join(installed.dir, 'kubeconfig');
    const server = `http://127.0.0.1:${api.port}`;
    writeFileSync(kubeconfig, kubeconfigOf({ server, cluster: { 'insecure-skip-tls-verify': true } }));
    const run = async (): Promise<string> => {
      const env = { ...installed.bareEnv(), KUBECONFIG: kubeconfig, HOME: installed.dir };
      const btfctl = spawn(join(bin, 'btfctl'), ['fleet', 'kernels', '--kubernetes', 'btfd/btfd'], { env });
      let stderr = '';
      btfctl.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      await once(btfctl, 'close');
      return stderr;
    };
    // btfctl keeps its compiled code in the first run that succeeds, and uses it in the next one.
    const found = '1 not ready: the source of the nodes says that the node is not ready: web1';
    expect(await run()).toMatch(
      /which cannot be loaded with Node .*: install it with `npm install @kubernetes\/client-node(@1)?` \(Cannot find/,
    );
    const modules = join(bin, '../lib/node_modules/@kubernetes');
    mkdirSync(modules);
    const clientNode = createRequire(require.resolve('@btfd/fleet')).resolve('@kubernetes/client-node');
    symlinkSync(join(dirname(clientNode), '..'), join(modules, 'client-node'));
    for (let runs = 0; runs < 2; runs++) expect(await run()).toContain(found);
    rmSync(modules, { recursive: true });
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
      complete() { COMP_LINE="btfctl $*" COMP_POINT=\${#COMP_LINE}; _btfctl btfctl "\${@: -1}"; echo "\${COMPREPLY[@]}"; }
      complete lay
      complete dump vmlin`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script], {
      encoding: 'utf8',
      cwd: installed.dir,
      env: {
        PATH: `${bin}:${process.env['PATH'] ?? ''}`,
        HOME: '/nonexistent',
        BTFD_ADDRESS: daemon.address,
        BTFCTL_COMPLETION_TIMEOUT: '5m',
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
