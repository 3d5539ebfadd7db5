import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { KubernetesApi, kubeconfigOf } from 'test-tools/kubernetes-api';
import { FakeDaemon } from '@btfd/client/testing';
import { Btfctl, BTFCTL, btfctl, type Ran } from './testing/btfctl.js';
import { intBtf } from './testing/sample-btf.js';
import { until } from './testing/until.js';

const dir = mkdtempSync(join(tmpdir(), 'btfctl-nodes-'));
/** A busy machine is slow. */
const PATIENT = ['--connect-timeout', '60s', '--timeout', '120s'];
let daemon: FakeDaemon;

beforeAll(async () => {
  daemon = await FakeDaemon.start({
    nodeName: 'web1',
    objects: [{ name: 'vmlinux', btf: intBtf(1, 'int') }],
  });
});
afterAll(async () => {
  await daemon.stop();
  rmSync(dir, { recursive: true });
});

/** Runs `fleet kernels` with nodes on its standard input. `end` leaves the input open if it is false. */
async function withInput(text: string, more: readonly string[] = [], end = true): Promise<Ran> {
  const args = [BTFCTL, 'fleet', 'kernels', '--nodes-file', '-', ...PATIENT, ...more];
  const child = spawn(process.execPath, args, { env: { PATH: process.env['PATH'], HOME: '/dev/null' } });
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (part: string) => (printed[name] += part));
  // It may end before it has read everything.
  child.stdin.on('error', () => {});
  child.stdin.write(text);
  if (end) child.stdin.end();
  else setTimeout(() => child.kill('SIGINT'), 3_000).unref();
  const [status] = await once(child, 'close');
  return { ...printed, status };
}

describe('--nodes-file -', () => {
  test('reads nodes from standard input', async () => {
    const ran = await withInput(`# ours\nown ${daemon.address}\r\n\n`, ['-o', 'json']);
    expect([ran.status, ran.stderr]).toEqual([0, '']);
    expect(JSON.parse(ran.stdout)).toMatchObject({ complete: true, builds: [{ nodes: ['own'] }] });
  });

  test('takes the name of a node from its daemon', async () => {
    const ran = await withInput(daemon.address, ['-o', 'json']);
    expect(JSON.parse(ran.stdout)).toMatchObject({ builds: [{ nodes: ['web1'] }] });
  });

  test.each<[string, string, number, string]>([
    ['nothing', '', 3, 'btfctl: standard input has no nodes\n'],
    ['a comment', '# none\n', 3, 'btfctl: standard input has no nodes\n'],
    ['a name twice', 'a h:1\n\na h:2\n', 2, 'btfctl: standard input: line 3: "a" is there twice\n'],
    [
      'a name with control characters',
      'a h:1\nb\u001b]0;x\u0007 h:2\n',
      2,
      'btfctl: standard input: line 2: its name is not 253 printable ASCII characters at most, without spaces\n',
    ],
    [
      'an address with control characters',
      'a h\u001b[2J:2\n',
      2,
      'btfctl: standard input: line 1: invalid address "h\\u001b[2J:2": use unix:/PATH or HOST:PORT\n',
    ],
    [
      'bytes that are not text',
      '\u0000\u0001\u0002',
      2,
      'btfctl: standard input: line 1: invalid address "\\u0000',
    ],
    [
      '10,001 nodes',
      Array.from({ length: 10_001 }, (_, index) => `web${index} h:1\n`).join(''),
      2,
      'btfctl: standard input: nodes: must be at most 10000, not 10001\n',
    ],
  ])('with %s fails before any node is asked', async (_, text, status, message) => {
    const ran = await withInput(text);
    expect(ran).toMatchObject({ status, stdout: '' });
    expect(ran.stderr).toContain(message);
    expect(ran.stderr).not.toMatch(/(?!\n)\p{Cc}/u);
  });

  test('with one address under two names asks it once', async () => {
    const ran = await withInput(`a ${daemon.address}\nb ${daemon.address}\n`, ['-o', 'json']);
    expect(ran.status).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      builds: [{ nodes: ['a'] }],
      nodes: [
        { name: 'a', outcome: 'answered' },
        { name: 'b', outcome: 'duplicate', of: 'a' },
      ],
    });
  });

  test('that does not end is ended by Ctrl-C', async () => {
    expect(await withInput('a h:1\n', [], false)).toEqual({ status: 130, stdout: '', stderr: '' });
  });
});

describe('A listing that hangs', () => {
  test('ends with --deadline, and with Ctrl-C', async () => {
    await using api = await KubernetesApi.start();
    const kubeconfig = join(dir, 'kubeconfig');
    const cluster = { 'insecure-skip-tls-verify': true };
    const server = `http://127.0.0.1:${api.port}`;
    writeFileSync(kubeconfig, kubeconfigOf({ server, cluster, user: {} }));
    const env = { KUBECONFIG: kubeconfig };
    const args = ['fleet', 'kernels', '--kubernetes', 'btfd/btfd'];
    const silent = (): void => {};
    api.faults = [silent, silent];
    const late = await btfctl([...args, '--deadline', '1s'], env);
    expect(late).toEqual({
      status: 6,
      stdout: '',
      stderr: 'btfctl: Service btfd/btfd: the nodes were not listed before the deadline\n',
    });
    // The deadline may have passed before the request.
    const before = api.requests.length;
    await using run = new Btfctl(args, env);
    await until('the nodes are listed', () => api.requests.length > before);
    run.kill('SIGINT');
    expect(await run.end()).toEqual({ status: 130, stdout: '', stderr: '' });
  });
});
