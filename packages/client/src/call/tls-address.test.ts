import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { promisify } from 'node:util';
import { ServerCredentials } from '@grpc/grpc-js';
import { expect } from '@jest/globals';
import { needs } from 'test-tools';
import { FakeDaemon } from '../fake-daemon/index.js';
import { Certificates } from '../testing/certificates.js';

const { test } = needs('openssl');

const BUILT = new URL('../../dist/index.js', import.meta.url).href;

test('TLS to an address by number checks the address in the certificate, without a deprecation warning', async () => {
  using certificates = new Certificates();
  const { cert, key } = certificates.issue('node1', 'IP:127.0.0.1', 'IP:::1');
  const served = ServerCredentials.createSsl(null, [{ private_key: key, cert_chain: cert }]);
  await using daemon = await FakeDaemon.start({ credentials: served });
  const port = Number(daemon.address.replace(/^.*:/, ''));
  const relay = createServer((socket) => void socket.pipe(connect(port, '127.0.0.1')).pipe(socket));
  await once(relay.listen(0, '::'), 'listening');
  const other = Object(relay.address()).port;
  const cases = [
    [daemon.address],
    [`[::1]:${other}`],
    [`localhost:${other}`, '127.0.0.1'],
    [daemon.address, 'node1'],
    [daemon.address, 'node2'],
    [daemon.address, '127.0.0.3'],
    [`127.0.0.2:${other}`],
  ];
  const program = `
    import { BtfClient } from ${JSON.stringify(BUILT)};
    for (const [address, serverName] of ${JSON.stringify(cases)}) {
      const tls = { ca: ${JSON.stringify(String(certificates.ca))}, serverName };
      const client = new BtfClient(address, { tls, retries: 0, timeout: 120_000 });
      await client.serverInfo().then(
        () => console.log('yes'),
        ({ rawMessage }) => console.log(rawMessage),
      );
    }`;
  const words = ['--throw-deprecation', '--input-type=module', '-e', program];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, words, { timeout: 240_000 });
  const refused = ['Host: node2', 'IP: 127.0.0.3', 'IP: 127.0.0.2'].map((what) =>
    expect.stringContaining(what),
  );
  expect({ lines: stdout.trimEnd().split('\n'), stderr }).toEqual({
    lines: ['yes', 'yes', 'yes', 'yes', ...refused],
    stderr: '',
  });
  relay.close();
});
