import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { endpoint, endpointSlice, KubernetesApi, kubeconfigOf } from 'test-tools/kubernetes-api';
import { DaemonProcess } from './testing/daemon-process.js';
import { InstalledPackages } from './testing/installed-packages.js';
import { TestCertificates } from './testing/test-certificates.js';
import { npmNode } from 'test-tools/npm-node';

/** Runs arm64 programs: Debian's package qemu-user, with the libraries of libc6-arm64-cross. */
const ARM64 = ['qemu-aarch64', '-L', '/usr/aarch64-linux-gnu'] as const;

describe('the packages, packed and installed by npm', () => {
  let installed: InstalledPackages;
  /** The folder with the commands of the global installation. */
  let bin: string;

  const nodeOf = (version: string, arch?: string): string => npmNode(installed.dir, version, arch);

  beforeAll(() => {
    installed = new InstalledPackages();
    bin = installed.installGlobally();
  });

  afterAll(() => installed[Symbol.dispose]());

  test.each(['20.19', '22', '24'])('work with Node %s, as daemon and as client', async (version) => {
    const node = nodeOf(version);
    expect(execFileSync(node, ['--version'], { encoding: 'utf8' })).toContain(`v${version}`);
    await using daemon = await DaemonProcess.start({ btfd: join(bin, 'btfd'), node });
    for (const consumer of ['esm.mjs', 'cjs.cjs']) {
      const { stdout, stderr } = installed.run([consumer, daemon.address], { program: node });
      expect({ stdout: JSON.parse(stdout || '{}'), stderr }).toMatchObject({
        stdout: { listHead: 16, loaded: 'user' },
      });
    }
    const words = ['--address', daemon.address, 'dump', 'vmlinux', '--type', 'list_head', 'format', 'c'];
    const { stdout } = installed.run([join(bin, 'btfctl'), ...words], { program: node });
    expect(stdout).toContain('struct list_head {');
  });

  test.each([
    ['20.19', '1.4.0'],
    ['24', '1.4.0'],
    ['22', '2'],
    ['24', '2'],
  ])('find nodes in Kubernetes with Node %s and release %s of client-node', async (version, release) => {
    const token = 'a-token';
    const conditions = { ready: false };
    const slices = [endpointSlice('btfd-a', { endpoints: [endpoint('web1', '127.0.0.1', { conditions })] })];
    using certificates = await TestCertificates.make();
    const { files } = certificates;
    const tls = { cert: readFileSync(files.cert, 'utf8'), key: readFileSync(files.key, 'utf8') };
    await using api = await KubernetesApi.start({ slices, token, tls });
    const kubeconfig = join(installed.dir, 'kubeconfig');
    const cluster = { 'certificate-authority': files.ca };
    const server = `https://127.0.0.1:${api.port}`;
    writeFileSync(kubeconfig, kubeconfigOf({ server, cluster, user: { token } }));
    installed.installBesideCommands(`@kubernetes/client-node@${release}`);
    const words = [join(bin, 'btfctl'), 'fleet', 'kernels', '--kubernetes', 'btfd/btfd'];
    const env = { ...installed.bareEnv(), KUBECONFIG: kubeconfig, HOME: installed.dir };
    // Not spawnSync: the server runs in this process.
    const stderr = await new Promise<string>((resolve) => {
      execFile(nodeOf(version), words, { env }, (_error, _stdout, text) => resolve(text));
    });
    expect(stderr).toContain('1 not ready: the source of the nodes says that the node is not ready: web1');
    expect(stderr).not.toContain('Warning');
  });

  test('have the same bytes when they are packed again', () => {
    const again = join(installed.dir, 'again');
    execFileSync(
      process.execPath,
      [fileURLToPath(new URL('../../../scripts/pack.js', import.meta.url)), again],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    for (const tarball of installed.tarballs) {
      expect(readFileSync(join(again, basename(tarball))).equals(readFileSync(tarball))).toBe(true);
    }
  });

  test('run the daemon without a code cache in a Node that has one', () => {
    const hook = join(installed.dir, 'code-cache.cjs');
    writeFileSync(
      hook,
      "process.on('exit', () => console.log(require('node:module').getCompileCacheDir() ?? 'none'));",
    );
    const args = ['--require', hook, join(bin, 'btfd'), '--version'];
    const { stdout } = installed.run(args, { program: nodeOf('24') });
    expect(stdout).toMatch(/\nnone\n$/);
  });

  test.each(['16', '18'])('name the Node that they need if it is %s', (version) => {
    const node = nodeOf(version);
    for (const command of ['btfd', 'btfctl']) {
      const { status, stdout, stderr } = installed.run([join(bin, command), '--version'], { program: node });
      expect({ status, stdout, stderr }).toEqual({
        status: 1,
        stdout: '',
        stderr: expect.stringMatching(
          `^${command} needs Node 20[.]19 or newer; ${node} is ${version}[.].*\n$`,
        ),
      });
    }
  });

  test('include an addon for arm64 that loads, and reports bpf(2) as missing under emulation', () => {
    const node = nodeOf('20', 'arm64');
    const script = `
      const { btfGetNextId, capabilities } = await import('@btfd/native');
      try { btfGetNextId(0); } catch (error) {
        console.log(JSON.stringify([process.arch, error.name, error.code, typeof capabilities().bpf]));
      }`;
    const [command, ...options] = ARM64;
    const { stdout, stderr } = spawnSync(command, [...options, node, '--input-type=module', '-e', script], {
      cwd: installed.project,
      encoding: 'utf8',
    });
    expect({ stdout: stdout.trim(), stderr }).toEqual({
      stdout: '["arm64","BpfError","ENOSYS","boolean"]',
      stderr: '',
    });
  });
});
