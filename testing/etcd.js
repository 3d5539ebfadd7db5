// A real etcd on loopback, with its data in a temporary folder.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const TRIES = 5;
/** Enough on a busy machine. One that is idle needs 0.2 s. */
const START_MS = 120_000;

/** See etcd.d.ts. */
export class Etcd {
  #members;
  #dir;
  #authority;
  #root;

  constructor(members, dir, authority) {
    this.#members = members;
    this.#dir = dir;
    this.#authority = authority;
    this.#root = authority?.issue('root', '');
  }

  static async start({ members = 1, tls = false, flags = [] } = {}) {
    for (let attempt = 1; ; attempt++) {
      const etcd = await prepare(members, tls, flags);
      try {
        await Promise.all(etcd.#members.map(async (member) => member.start()));
        await etcd.#isHealthy();
        return etcd;
      } catch (error) {
        await etcd[Symbol.asyncDispose]();
        // etcd cannot listen on port 0, and another process may have taken a port that was free.
        if (attempt === TRIES || !String(error).includes('address already in use')) throw error;
      }
    }
  }

  get ca() {
    return readFileSync(this.#authority.ca);
  }

  issueClient(name) {
    return this.#authority.issue(name, '');
  }

  get hosts() {
    return this.#members.map(({ client }) => client);
  }

  /** The members, to kill, stop and start them again. */
  get members() {
    return this.#members;
  }

  async ctl(...args) {
    return this.ctlWith('', ...args);
  }

  async ctlWith(input, ...args) {
    const tls =
      this.#root === undefined
        ? []
        : ['--cacert', this.#authority.ca, '--cert', this.#root.certFile, '--key', this.#root.keyFile];
    // A busy machine.
    const patience = ['--command-timeout', '60s', '--dial-timeout', '60s'];
    const all = ['--endpoints', this.hosts.join(','), ...patience, ...tls, ...args];
    const running = promisify(execFile)('etcdctl', all, {
      env: { ...process.env, ETCDCTL_API: '3' },
      timeout: 120_000,
    });
    // Commands that read no input may have ended.
    running.child.stdin.on('error', () => {}).end(input);
    return (await running).stdout;
  }

  async #isHealthy() {
    const end = performance.now() + START_MS;
    for (;;) {
      const exited = this.#members.find(({ output, child }) => output !== '' && child.exitCode !== null);
      if (exited !== undefined) throw new Error(`etcd ended: ${exited.output}`);
      try {
        await this.ctl('endpoint', 'health', '--command-timeout', '5s');
        return;
      } catch (error) {
        if (performance.now() > end) throw error;
        await sleep(50);
      }
    }
  }

  async [Symbol.asyncDispose]() {
    await Promise.all(this.#members.map(async (member) => member.kill()));
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

async function prepare(count, tls, flags) {
  const dir = mkdtempSync(join(tmpdir(), 'btfd-etcd-'));
  const ports = await freePorts(2 * count);
  const scheme = tls ? 'https' : 'http';
  const urls = Array.from({ length: count }, (_, index) => ({
    name: `m${index}`,
    client: `${scheme}://127.0.0.1:${ports[2 * index]}`,
    peer: `http://127.0.0.1:${ports[2 * index + 1]}`,
  }));
  const cluster = urls.map(({ name, peer }) => `${name}=${peer}`).join(',');
  const authority = tls ? new Authority(dir) : undefined;
  const all = [...flags, ...(authority?.flags() ?? [])];
  return new Etcd(
    urls.map((url) => new Member(url, dir, cluster, all)),
    dir,
    authority,
  );
}

/** The authority of the certificates of etcd and of its clients. */
class Authority {
  ca;
  #dir;

  constructor(dir) {
    this.#dir = dir;
    this.ca = join(dir, 'ca.pem');
    this.#openssl('req', '-x509', '-subj', '/CN=authority', '-keyout', 'ca.key', '-out', 'ca.pem');
  }

  /** The flags of a server that accepts only clients with a certificate of this authority. */
  flags() {
    const { certFile, keyFile } = this.issue('etcd', 'subjectAltName=IP:127.0.0.1,DNS:localhost');
    return [
      '--cert-file',
      certFile,
      '--key-file',
      keyFile,
      '--trusted-ca-file',
      this.ca,
      '--client-cert-auth',
    ];
  }

  issue(name, extensions) {
    const path = (end) => join(this.#dir, `${name}${end}`);
    this.#openssl('req', '-subj', `/CN=${name}`, '-keyout', path('.key'), '-out', path('.csr'));
    writeFileSync(path('.ext'), extensions);
    const signing = ['-CA', this.ca, '-CAkey', join(this.#dir, 'ca.key'), '-CAcreateserial', '-days', '1'];
    const files = ['-in', path('.csr'), '-extfile', path('.ext'), '-out', path('.pem')];
    execFileSync('openssl', ['x509', '-req', ...signing, ...files], { stdio: 'ignore' });
    const [certFile, keyFile] = [path('.pem'), path('.key')];
    return { certFile, keyFile, cert: readFileSync(certFile), key: readFileSync(keyFile) };
  }

  #openssl(command, ...args) {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    execFileSync('openssl', [command, ...key, ...args], { cwd: this.#dir, stdio: 'ignore' });
  }
}

class Member {
  child;
  output = '';
  client;
  #args;

  constructor({ name, client, peer }, dir, cluster, flags) {
    this.client = client;
    this.#args = [
      ['--name', name, '--data-dir', join(dir, name)],
      ['--listen-client-urls', client, '--advertise-client-urls', client],
      ['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', cluster],
      // So that leases of 2 s are possible: the shortest is one and a half times the election's.
      ['--heartbeat-interval', '50', '--election-timeout', '500'],
      ['--unsafe-no-fsync', '--logger', 'zap', '--log-level', 'error'],
      flags,
    ].flat();
  }

  start() {
    this.output = '';
    this.child = spawn('etcd', this.#args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.child.stderr.setEncoding('utf8').on('data', (text) => (this.output += text));
  }

  /** A thread of a stopped process may run until its turn is over. */
  async pause() {
    this.child.kill('SIGSTOP');
    const tasks = `/proc/${this.child.pid}/task`;
    const runs = (task) => !/\) T /.test(readFileSync(`${tasks}/${task}/stat`, 'latin1'));
    while (readdirSync(tasks).some(runs)) await sleep(10);
  }

  resume() {
    this.child.kill('SIGCONT');
  }

  async kill() {
    if (this.child === undefined || this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map(async (server) => once(server.listen(0, '127.0.0.1'), 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map(async (server) => once(server.close(), 'close')));
  return ports;
}
