import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import type { BtfClientOptions } from '@btfd/client';
import { DaemonProcess } from './testing/daemon-process.js';
import { TestCertificates } from './testing/test-certificates.js';
import { until } from './testing/until.js';

const CLIENT = new URL('../../client/dist/index.js', import.meta.url).href;

/**
 * Runs a program with a client of a daemon, which it closes at the end. Returns the number of sockets that are open then, and
 * whether the process ended.
 */
async function socketsAfter(
  address: string,
  options: BtfClientOptions,
  use: string,
): Promise<{ readonly sockets: number; readonly ended: boolean }> {
  const program = `
    import { existsSync, readdirSync, readlinkSync } from 'node:fs';
    import { BtfClient } from ${JSON.stringify(CLIENT)};
    const sockets = () => readdirSync('/proc/self/fd').filter((fd) => {
      try { return readlinkSync('/proc/self/fd/' + fd).startsWith('socket:'); } catch { return false; }
    }).length;
    const before = sockets();
    const client = new BtfClient(${JSON.stringify(address)}, ${JSON.stringify(options)});
    ${use}
    if (sockets() === before) throw new Error('no connection');
    await client.close();
    console.log(sockets() - before);`;
  const words = ['--input-type=module', '-e', program];
  const run = promisify(execFile)(process.execPath, words, { timeout: 240_000 });
  return run.then(
    ({ stdout }) => ({ sockets: Number(stdout), ended: true }),
    (error: unknown) => ({ sockets: Number(Object(error).stdout), ended: Object(error).killed !== true }),
  );
}

const LET_GO = { sockets: 0, ended: true };

/** Calls that a stopped daemon does not answer: a watch, and a load that fills the buffers of the socket. */
function stoppedDuring({ pid }: DaemonProcess): string {
  return `
    await client.serverInfo();
    process.kill(${pid}, 'SIGSTOP');
    client.watchHandles().next().catch(() => {});
    client.loadHandle(new Uint8Array(8_000_000)).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 200));`;
}

test('a closed client lets go of the connection to a daemon that was stopped', async () => {
  using certificates = await TestCertificates.make();
  const viewer = 'spiffe://test/viewer';
  const args = [...certificates.args, '--viewer', `uri:${viewer}`];
  for (const transport of ['unix', 'tls'] as const) {
    await using daemon = await DaemonProcess.start({ args });
    await until('the port is logged', () => daemon.tcpPort() !== null);
    const { cert, key } = await certificates.issueClient([viewer]);
    const ca = readFileSync(certificates.files.ca, 'utf8');
    const [address, options] =
      transport === 'unix'
        ? [daemon.address, {}]
        : [`localhost:${daemon.tcpPort()}`, { tls: { ca, cert, key } }];
    expect(await socketsAfter(address, options, stoppedDuring(daemon))).toEqual(LET_GO);
    daemon.signal('SIGCONT');
  }
});

test.each([
  ['TCP', {}],
  ['TLS', { tls: {} }],
])(
  'a closed client lets go of the %s connection to a peer that accepts and never responds',
  async (_, options) => {
    const dir = mkdtempSync(join(tmpdir(), 'btfd-close-'));
    const begun = join(dir, 'begun');
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {}).once('data', () => writeFileSync(begun, ''));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const use = `
      client.serverInfo().catch(() => {});
      while (!existsSync(${JSON.stringify(begun)})) await new Promise((resolve) => setTimeout(resolve, 20));`;
    expect(await socketsAfter(`127.0.0.1:${Object(server.address()).port}`, options, use)).toEqual(LET_GO);
    server.close();
    rmSync(dir, { recursive: true });
  },
);
