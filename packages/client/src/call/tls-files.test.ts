import { once } from 'node:events';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { CallCredentials } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test as plainTest } from '@jest/globals';
import { needs } from 'test-tools';
import { BtfClient } from '../client.js';
import { Certificates, type KeyPair } from '../testing/certificates.js';
import { TlsConnector } from './tls-credentials.js';
import { type TlsSource, tlsSource } from './tls-source.js';

const { test } = needs('openssl');

let certificates: Certificates;
let first: KeyPair;
let second: KeyPair;
let server: Server;
let dir: string;
let files: { readonly caFile: string; readonly certFile: string; readonly keyFile: string };

beforeAll(async () => {
  certificates = new Certificates();
  [first, second] = [certificates.issue('first'), certificates.issue('second')];
  const own = certificates.issue('localhost', 'IP:127.0.0.1', 'IP:::1');
  server = createServer({ ...own, ca: certificates.ca, requestCert: true, ALPNProtocols: ['h2'] });
  await once(server.listen(0, '::'), 'listening');
});

afterAll(() => {
  server.close();
  certificates[Symbol.dispose]();
});

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'btfd-tls-'));
  const path = (name: string): string => join(dir, name);
  files = { caFile: path('ca.pem'), certFile: path('tls.pem'), keyFile: path('tls.key') };
  write('caFile', certificates.ca);
  writePair(first);
});

afterEach(() => rmSync(dir, { recursive: true }));

function write(option: keyof typeof files, content: string | Buffer): void {
  writeFileSync(files[option], content);
}

function writePair({ cert, key }: KeyPair): void {
  write('certFile', cert);
  write('keyFile', key);
}

/** Connects, and returns the name in the client's certificate, as the server sees it. */
async function connectedAs(source: TlsSource, host = 'localhost'): Promise<string> {
  const accepted = new Promise<TLSSocket>((resolve) => server.once('secureConnection', resolve));
  const socket = connect(Object(server.address()).port, host);
  await once(socket, 'connect');
  const connector = new TlsConnector(source, host, {}, CallCredentials.createEmpty());
  await connector.waitForReady();
  await connector.connect(socket);
  const other = await accepted;
  const { CN: name } = other.getPeerCertificate().subject;
  // RFC 6066 forbids an address as the name of a server.
  expect(Reflect.get(other, 'servername')).toBe(host === 'localhost' ? host : false);
  socket.destroy();
  other.destroy();
  return String(name);
}

test('files that change are used for the next connection', async () => {
  const source = tlsSource(files);
  expect(await connectedAs(source)).toBe('first');
  writePair(second);
  expect(await connectedAs(source)).toBe('second');
  const keys = await source.current();
  expect(await source.current()).toBe(keys);
});

test.each<[string, () => void, string]>([
  [
    'the certificate alone',
    () => write('certFile', second.cert),
    'tls.keyFile: KEY is not the key of the certificate in CERT',
  ],
  ['half a key', () => truncateSync(files.keyFile, 60), 'tls.keyFile: there is no key in KEY'],
  [
    'half a certificate',
    () => truncateSync(files.certFile, 90),
    'tls.certFile: a certificate in CERT is cut off',
  ],
  [
    'half a list of authorities',
    () => write('caFile', String(certificates.ca).repeat(2).slice(0, -50)),
    'tls.caFile: a certificate in CA is cut off',
  ],
  ['an empty file', () => truncateSync(files.certFile), 'tls.certFile: there is no certificate in CERT'],
  ['no file', () => rmSync(files.keyFile), "tls.keyFile: ENOENT: no such file or directory, stat 'KEY'"],
])(
  'while %s is there, the earlier pair is used, and the problem is reported once',
  async (_, spoil, problem) => {
    const problems: string[] = [];
    const source = tlsSource({ ...files, onProblem: ({ message }) => problems.push(message) });
    spoil();
    expect([await connectedAs(source), await connectedAs(source)]).toEqual(['first', 'first']);
    const text = problem
      .replace('KEY', files.keyFile)
      .replace('CERT', files.certFile)
      .replace('CA', files.caFile);
    expect(problems).toEqual([expect.stringContaining(text)]);
    write('caFile', certificates.ca);
    writePair(second);
    expect(await connectedAs(source)).toBe('second');
  },
);

test('files that cannot be used at the start are an error that names the option and the file', () => {
  rmSync(files.caFile);
  expect(() => new BtfClient('localhost:1', { tls: files })).toThrow(
    `tls.caFile: ENOENT: no such file or directory, stat '${files.caFile}'`,
  );
});

test('clients that connect at the same time read the files once', async () => {
  const source = tlsSource(files);
  writePair(second);
  const keys = await Promise.all(Array.from({ length: 1_000 }, async () => source.current()));
  expect(new Set(keys).size).toBe(1);
});

test('a function is called for each connection, and its failure is that of the connection', async () => {
  let answer: () => KeyPair = () => first;
  const source = tlsSource(async () => ({ ca: certificates.ca, ...answer() }));
  expect(await connectedAs(source)).toBe('first');
  const keys = await source.current();
  expect(await source.current()).toBe(keys);
  answer = () => second;
  expect(await connectedAs(source)).toBe('second');
  answer = () => {
    throw new Error('the vault is sealed');
  };
  await using client = new BtfClient(`localhost:${Object(server.address()).port}`, {
    tls: () => ({ ca: certificates.ca, ...answer() }),
    retries: 0,
  });
  await expect(client.serverInfo()).rejects.toMatchObject({
    reason: 'UNREACHABLE',
    rawMessage: expect.stringContaining('the vault is sealed'),
  });
});

test.each(['127.0.0.1', '::1'])('the address %s is checked as such, and not sent as a name', async (host) => {
  const source = tlsSource({ ...files });
  expect(await connectedAs(source, host)).toBe('first');
});

plainTest.each([
  ['tls.cafile', { tls: { caFile: 'x', cafile: 'x' } }],
  ['tls.ca', { tls: { caFile: 'x', ca: 'x' } }],
  ['tls.keyFile', { tls: { keyFile: '' } }],
  ['tls', { tls: { keyFile: 'x' } }],
])('the field %s is checked', (field, options) => {
  expect(() => new BtfClient('localhost:1', Object(options))).toThrow(
    expect.objectContaining({ fieldViolations: [expect.objectContaining({ field })] }),
  );
});
