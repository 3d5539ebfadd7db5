import { once } from 'node:events';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { BtfClient, type TlsFiles } from '@btfd/client';
import type { KeyPair } from '@btfd/server/certs';
import { expect } from '@jest/globals';
import { needs } from 'test-tools';
import { DaemonProcess } from './testing/daemon-process.js';
import { intBtf } from './testing/sample-btf.js';
import { hours, TestCertificates } from './testing/test-certificates.js';
import { until } from './testing/until.js';

const { test } = needs('bpf');

const USER = 'spiffe://test/user';
const ROLES = ['--loader', `uri:${USER}`, '--inspector', `uri:${USER}`];

/** Secret is a volume of files as Kubernetes mounts it: links through `..data`, which one rename replaces. */
class Secret {
  readonly files: TlsFiles;
  readonly #dir: string;
  #version = 0;

  constructor(dir: string) {
    this.#dir = join(dir, 'secret');
    mkdirSync(this.#dir);
    const path = (name: string): string => join(this.#dir, name);
    this.files = { caFile: path('ca.crt'), certFile: path('tls.crt'), keyFile: path('tls.key') };
    for (const name of ['ca.crt', 'tls.crt', 'tls.key']) symlinkSync(join('..data', name), path(name));
  }

  replace(ca: string, { cert, key }: KeyPair): void {
    const version = `..v${(this.#version += 1)}`;
    mkdirSync(join(this.#dir, version));
    for (const [name, text] of Object.entries({ 'ca.crt': ca, 'tls.crt': cert, 'tls.key': key })) {
      writeFileSync(join(this.#dir, version, name), text);
    }
    symlinkSync(version, join(this.#dir, '..new'));
    renameSync(join(this.#dir, '..new'), join(this.#dir, '..data'));
  }
}

/** Relay passes connections on to a daemon, and can break them. */
class Relay implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  count = 0;

  private constructor(port: number) {
    this.#server = createServer((socket) => {
      this.count += 1;
      const other = connect(port, '127.0.0.1');
      for (const each of [socket, other]) {
        this.#sockets.add(each);
        each.on('error', () => {}).once('close', () => this.#sockets.delete(each));
      }
      socket.pipe(other).pipe(socket);
    });
  }

  static async to(daemon: DaemonProcess): Promise<Relay> {
    await until('the port is logged', () => daemon.tcpPort() !== null);
    const relay = new Relay(daemon.tcpPort() ?? 0);
    await once(relay.#server.listen(0, '127.0.0.1'), 'listening');
    return relay;
  }

  get address(): string {
    return `127.0.0.1:${Object(this.#server.address()).port}`;
  }

  /** Breaks all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.cut();
  }
}

/** Returns the names of the users' objects that a watch reports from now on. */
function watched(client: BtfClient): { readonly types: string[]; readonly done: Promise<void> } {
  const types: string[] = [];
  const done = (async () => {
    for await (const { type } of client.watchHandles({ origins: ['user'] })) types.push(type);
  })();
  return { types, done };
}

const PATIENT = { retries: 100, timeout: 240_000 };

test('leases and watches survive that the daemon and the client get certificates of another authority', async () => {
  using old = await TestCertificates.make();
  using next = await TestCertificates.make();
  await using daemon = await DaemonProcess.start({ args: [...old.args, ...ROLES] });
  await using relay = await Relay.to(daemon);
  const secret = new Secret(old.dir);
  secret.replace(old.ca, await old.issueClient([USER]));
  await using client = new BtfClient(relay.address, { tls: secret.files, ...PATIENT });
  const handle = await client.loadHandle(intBtf(1, 'kept'));
  const watch = watched(client);
  await until('the watch is synced', () => watch.types.includes('synced'));

  // The daemon first, so that the client is refused until it has its own.
  old.write(old.files.ca, next.ca);
  old.writeServer(await next.issueServer());
  daemon.signal('SIGHUP');
  await until('the keys are reloaded', () => daemon.log.text.includes('reloaded the keys'));
  const before = relay.count;
  relay.cut();
  await until('the client has tried again', () => relay.count > before);
  secret.replace(next.ca, await next.issueClient([USER]));

  await handle.inspect();
  await using second = await client.loadHandle(intBtf(1, 'second'));
  await until('the watch reports the second object', () => watch.types.at(-1) === 'added');
  expect([handle.lost.aborted, second.lost.aborted]).toEqual([false, false]);
  expect((await handle.rawBtf()).length).toBeGreaterThan(0);
  await client.close();
  await expect(watch.done).rejects.toMatchObject({ reason: 'CLIENT_CLOSED' });
});

/** Uses a client until its first certificate has expired. Returns false if it expired before all had begun. */
async function outliveCertificate(ms: number): Promise<boolean> {
  using certificates = await TestCertificates.make();
  await using daemon = await DaemonProcess.start({ args: [...certificates.args, ...ROLES] });
  await until('the port is logged', () => daemon.tcpPort() !== null);
  const secret = new Secret(certificates.dir);
  const end = Date.now() + ms;
  secret.replace(certificates.ca, await certificates.issueClient([USER], { notAfter: new Date(end) }));
  await using client = new BtfClient(`localhost:${daemon.tcpPort()}`, { tls: secret.files, ...PATIENT });
  const begun = (async () => {
    const handle = await client.loadHandle(intBtf(1, 'kept'), { ttl: 300_000 });
    const watch = watched(client);
    await until('the watch is synced', () => watch.types.includes('synced'));
    return { handle, watch };
  })();
  const { handle, watch } = (await begun.catch(() => null)) ?? {};
  if (handle === undefined || watch === undefined || Date.now() > end - 1_000) return false;
  secret.replace(certificates.ca, await certificates.issueClient([USER], { notAfter: hours(1) }));
  await setTimeout(end + 1_500 - Date.now());
  // A call that opens a handle is not repeated: it needs a connection with the new certificate.
  await using second = await client.loadHandle(intBtf(1, 'second'));
  await until('the watch reports the second object', () => watch.types.at(-1) === 'added');
  await handle.inspect();
  expect([handle.lost.aborted, second.lost.aborted]).toEqual([false, false]);
  await client.close();
  await expect(watch.done).rejects.toMatchObject({ reason: 'CLIENT_CLOSED' });
  return true;
}

test('leases and watches survive that the certificate of their connection expires', async () => {
  // A busy machine may need longer to begin.
  let ms = 5_000;
  while (!(await outliveCertificate(ms))) ms *= 3;
});
