import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FakeDaemon } from '@btfd/client/testing';
import { ServerCredentials } from '@grpc/grpc-js';
import { btfctl } from './testing/btfctl.js';
import { intBtf } from './testing/sample-btf.js';
import { TestCertificates } from './testing/test-certificates.js';

/** Listens with the shortest queue for connections. The test then stops it, so that nothing empties the queue. */
const FULL_LISTENER = `
  require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
    console.log(String(this.address().port));
  });`;

const dir = mkdtempSync(join(tmpdir(), 'btfctl-unreachable-'));
const CLIENT = 'spiffe://test/viewer';
let certificates: TestCertificates;
let others: TestCertificates;
const sockets = new Set<Socket>();
const silent = createServer((socket) => void sockets.add(socket.on('error', () => {})));
let full: ChildProcess;
/** The addresses of nodes that cannot be reached, by what is wrong with them. */
const addresses: Record<string, string> = {};
const daemons: FakeDaemon[] = [];

async function listen(server: Server): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return addressOf(server);
}

function addressOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return `127.0.0.1:${address.port}`;
}

/** Returns an address at which the kernel drops each attempt to connect, as a firewall does. */
async function droppingAddress(): Promise<string> {
  full = spawn(process.execPath, ['-e', FULL_LISTENER], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = await once(full.stdout ?? full, 'data');
  full.kill('SIGSTOP');
  // The queue has one place more than the backlog says. Later attempts are dropped.
  for (let count = 0; count < 4; count++) {
    const socket = connect({ host: '127.0.0.1', port: Number(port) }).on('error', () => {});
    sockets.add(socket);
    if (count < 2) await once(socket, 'connect');
  }
  return `127.0.0.1:${Number(port)}`;
}

beforeAll(async () => {
  certificates = await TestCertificates.make();
  others = await TestCertificates.make();
  const { cert, key } = await certificates.issueServer({ names: ['node7.example'] });
  const objects = [{ name: 'vmlinux', btf: intBtf(3, 'number') }];
  const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
  const ca = readFileSync(certificates.files.ca);
  const withTls = await FakeDaemon.start({
    objects,
    credentials: ServerCredentials.createSsl(ca, [pair], true),
  });
  const plain = await FakeDaemon.start({ objects });
  daemons.push(withTls, plain);
  const viewer = await certificates.issueClient([CLIENT]);
  certificates.write(join(certificates.dir, 'me.crt'), viewer.cert);
  certificates.write(join(certificates.dir, 'me.key'), viewer.key);
  const closed = createServer();
  Object.assign(addresses, {
    refused: await listen(closed),
    silent: await listen(silent),
    dropped: await droppingAddress(),
    unresolved: 'daemon.invalid:7443',
    missing: `unix:${join(dir, 'none.sock')}`,
    tls: withTls.address.replace(/^.*:/, '127.0.0.1:'),
    plain: plain.address,
  });
  closed.close();
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  silent.close();
  full.kill('SIGKILL');
  for (const daemon of daemons) await daemon.stop();
  certificates[Symbol.dispose]();
  others[Symbol.dispose]();
  rmSync(dir, { recursive: true });
});

const trust = (of = certificates): string[] => ['--tls-ca', of.files.ca];
const named = (name: string): string[] => ['--tls-server-name', name];
const me = (): string[] => [
  '--tls-cert',
  join(certificates.dir, 'me.crt'),
  '--tls-key',
  join(certificates.dir, 'me.key'),
];

/** A case has the node, the options, and why it cannot be reached, for one daemon and in a fleet. */
interface Case {
  readonly what: string;
  readonly node: string;
  readonly options?: () => readonly string[];
  readonly alone: string | RegExp;
  /** Default: the same. */
  readonly inFleet?: string | RegExp;
}

const CASES: readonly Case[] = [
  {
    what: 'nothing listens',
    node: 'refused',
    alone: /^connect ECONNREFUSED 127\.0\.0\.1:\d+$/,
    inFleet: 'connection refused (ECONNREFUSED)',
  },
  {
    what: 'there is no socket',
    node: 'missing',
    alone: /^connect ENOENT .*none\.sock$/,
    inFleet: 'there is no such socket (ENOENT)',
  },
  {
    what: 'the name does not exist',
    node: 'unresolved',
    alone: 'the name daemon.invalid cannot be resolved',
    inFleet: /^(there is no such name|its name cannot be resolved now) \(E\w+\)$/,
  },
  {
    what: 'the certificate is from another authority',
    node: 'tls',
    options: () => [...trust(others), ...named('node7.example'), ...me()],
    alone:
      /^(self-signed certificate in certificate chain|unable to verify the first certificate|unable to get local issuer certificate)$/,
  },
  {
    what: 'the certificate has another name',
    node: 'tls',
    options: () => [...trust(), ...named('node8.example'), ...me()],
    alone:
      "Hostname/IP does not match certificate's altnames: Host: node8.example. is not in the cert's altnames: DNS:node7.example",
  },
  {
    what: 'the caller has no certificate',
    node: 'tls',
    options: () => [...trust(), ...named('node7.example')],
    alone: /^tlsv13 alert certificate required$/,
  },
  {
    what: 'the daemon has TLS and the caller has not',
    node: 'tls',
    alone: 'the connection was closed before HTTP/2 began',
  },
  {
    what: 'the caller has TLS and the daemon has not',
    node: 'plain',
    options: () => [...trust(), ...named('node7.example'), ...me()],
    alone: /^(wrong version number|packet length too long)$/,
  },
];

/** Neither the parts of grpc-js nor its times are for users. */
const OF_GRPC =
  /LB pick|Resolution note|Last error|No connection established|metadata filters|\d{4}-\d\d-\d\dT/;

describe('A daemon that cannot be reached, because', () => {
  test.each(CASES)('$what, is named with the reason', async ({ node, options = () => [], alone }) => {
    const address = addresses[node] ?? '';
    const ran = await btfctl(['list', '--address', address, '--timeout', '60s', ...options()]);
    expect(ran).toMatchObject({ status: 6, stdout: '' });
    expect(ran.stderr).not.toMatch(OF_GRPC);
    const [, why = ran.stderr] =
      /^btfctl: cannot reach the daemon at \S+: (.*)\nhint: .*\n$/.exec(ran.stderr) ?? [];
    expect(ran.stderr).toContain(address);
    expect(why).toEqual(typeof alone === 'string' ? alone : expect.stringMatching(alone));
  });

  test.each(CASES)(
    '$what, is folded in a fleet',
    async ({ node, options = () => [], alone, inFleet = alone }) => {
      const address = addresses[node] ?? '';
      const file = join(dir, 'nodes.txt');
      writeFileSync(file, `web1 ${address}\n`);
      const args = ['fleet', 'kernels', '--nodes-file', file, '--connect-timeout', '60s', ...options()];
      const ran = await btfctl(args);
      expect(ran).toMatchObject({ status: 6 });
      const [, why = ran.stderr] = /\n {2}1 unreachable: (.*): web1\n/.exec(ran.stderr) ?? [];
      expect(why).toEqual(typeof inFleet === 'string' ? inFleet : expect.stringMatching(inFleet));
      const { stdout } = await btfctl([...args, '-o', 'json']);
      const { error } = JSON.parse(stdout).nodes[0];
      expect(error).not.toMatch(OF_GRPC);
      // Programs read the address itself.
      expect(error).toContain(address);
      // Advice about TLS and names holds for a fleet too.
      const single = await btfctl(['list', '--address', address, '--timeout', '60s', ...options()]);
      const [hint = 'no hint'] = /^hint: .*\n/m.exec(single.stderr) ?? [];
      const isForOne = hint.includes('check that btfd is running there');
      expect(ran.stderr.endsWith(`: web1\n${isForOne ? '' : `    ${hint}`}`)).toBe(true);
    },
  );
});

test('A socket of this machine has no TLS in a fleet whose other nodes have it', async () => {
  await using here = await FakeDaemon.start({ listen: `unix:${join(dir, 'here.sock')}`, objects: [] });
  const file = join(dir, 'mixed.txt');
  writeFileSync(file, `here ${here.address}\nweb1 node7.example:1\n`);
  const files = [...trust(), ...me()];
  const ran = await btfctl(['fleet', 'kernels', '--nodes-file', file, ...files, '-o', 'json']);
  const { nodes } = JSON.parse(ran.stdout);
  expect(nodes).toEqual([
    expect.objectContaining({ name: 'here', outcome: 'answered' }),
    expect.objectContaining({ name: 'web1', outcome: 'unreachable' }),
  ]);
});

describe('A daemon that does not respond', () => {
  test.each(['silent', 'dropped'])('(%s) is named', async (node) => {
    const address = addresses[node] ?? '';
    const ran = await btfctl(['list', '--address', address, '--timeout', '1s']);
    expect([ran.status, ran.stdout]).toEqual([6, '']);
    // The call and the command have the same time, and either may notice first.
    expect(ran.stderr).toMatch(
      /^btfctl: (?:the daemon at \S+ took longer than --timeout allows|no (?:connection|response) in time (?:to|from) the daemon at \S+)\nhint: .*--timeout 1m\n$/,
    );
    expect(ran.stderr).toContain(address);
  });

  test.each([
    ['silent', /^no (connection|response) (in time|within 500 ms)$/],
    ['dropped', /^no connection within 500 ms$/],
  ])('(%s) is folded in a fleet', async (node, reason) => {
    const file = join(dir, 'silent.txt');
    writeFileSync(file, `web1 ${addresses[node]}\n`);
    const args = ['fleet', 'kernels', '--nodes-file', file, '--connect-timeout', '500ms'];
    const ran = await btfctl(args);
    expect(ran.status).toBe(6);
    // This process itself may be what did not run, on a busy machine.
    const [, kind, why = ran.stderr] = /\n {2}1 (unreachable|starved): (.*): web1\n/.exec(ran.stderr) ?? [];
    if (kind !== 'starved') expect(why).toMatch(reason);
    expect(ran.stderr).not.toMatch(OF_GRPC);
  });
});
