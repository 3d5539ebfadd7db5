import { afterAll, beforeAll, expect } from '@jest/globals';
import { needs } from 'test-tools';
import { credentials, ServerCredentials } from '@grpc/grpc-js';
import { BtfClient } from '../client.js';
import { FakeDaemon } from '../fake-daemon/index.js';
import { Certificates, type KeyPair } from '../testing/certificates.js';
import { rejection } from '../testing/promises.js';

const { test } = needs('openssl');

let certificates: Certificates;
let daemon: FakeDaemon;
let ca: Buffer;
let pair: KeyPair;

beforeAll(async () => {
  certificates = new Certificates();
  ca = certificates.ca;
  const { cert, key } = certificates.issue('localhost');
  pair = certificates.issue('reader');
  daemon = await FakeDaemon.start({
    credentials: ServerCredentials.createSsl(ca, [{ private_key: key, cert_chain: cert }], true),
  });
});

afterAll(async () => {
  await daemon.stop();
  certificates[Symbol.dispose]();
});

const port = (): string => daemon.address.replace(/^.*:/, '');
const quick = { retries: 0, timeout: 5_000 };

test('a client with a certificate reaches a daemon that requires one', async () => {
  await using client = new BtfClient(`localhost:${port()}`, { tls: { ca, ...pair }, ...quick });
  expect((await client.serverInfo()).daemonEpoch).toBe(daemon.epoch);
});

test('PEM may be a string', async () => {
  const tls = { ca: String(ca), cert: String(pair.cert), key: String(pair.key) };
  await using client = new BtfClient(`localhost:${port()}`, { tls, ...quick });
  expect((await client.serverInfo()).daemonEpoch).toBe(daemon.epoch);
});

test('serverName may differ from the host of the address', async () => {
  const tls = { ca, ...pair };
  await using unnamed = new BtfClient(daemon.address, { tls, ...quick });
  expect(await rejection(unnamed.serverInfo())).toMatchObject({ reason: 'UNREACHABLE' });
  await using named = new BtfClient(daemon.address, { tls: { ...tls, serverName: 'localhost' }, ...quick });
  expect((await named.serverInfo()).daemonEpoch).toBe(daemon.epoch);
});

test.each([
  ['without a certificate', () => ({ ca })],
  ['that does not trust the authority', () => ({ ...pair })],
])('a client %s does not reach it', async (_, tls) => {
  await using client = new BtfClient(`localhost:${port()}`, { tls: tls(), ...quick });
  expect(await rejection(client.serverInfo())).toMatchObject({ reason: 'UNREACHABLE' });
});

test('a client without TLS does not reach it', async () => {
  await using client = new BtfClient(`localhost:${port()}`, quick);
  expect(await rejection(client.serverInfo())).toMatchObject({ reason: 'UNREACHABLE' });
});

test.each([
  ['a certificate without its key', () => ({ tls: { cert: pair.cert } })],
  ['a text that is not PEM', () => ({ tls: { ca, cert: 'no', key: 'no' } })],
  [
    'the key of another certificate',
    () => ({ tls: { cert: pair.cert, key: certificates.issue('other').key } }),
  ],
  ['TLS together with credentials', () => ({ tls: {}, credentials: credentials.createInsecure() })],
])('%s is rejected by the constructor', (_, options) => {
  expect(() => new BtfClient('localhost:1', options())).toThrow(
    expect.objectContaining({
      reason: 'INVALID_REQUEST',
      fieldViolations: [expect.objectContaining({ field: 'tls' })],
    }),
  );
});
