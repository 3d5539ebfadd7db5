import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { needs } from 'test-tools';
import { Builder } from '@btfd/btf';
import { FakeDaemon } from '@btfd/client/testing';
import { ServerCredentials } from '@grpc/grpc-js';
import { btfctl, type Ran } from './testing/btfctl.js';

const { test } = needs('openssl');

let dir: string;
let daemon: FakeDaemon;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'btfctl-tls-'));
  for (const name of ['daemon', 'reader']) selfSigned(name);
  const [cert_chain, private_key] = [pem('daemon.pem'), pem('daemon.key')];
  const builder = new Builder();
  builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  daemon = await FakeDaemon.start({
    objects: [{ name: 'vmlinux', btf: builder.marshal() }],
    credentials: ServerCredentials.createSsl(pem('reader.pem'), [{ private_key, cert_chain }], true),
  });
});
afterAll(async () => {
  await daemon.stop();
  rmSync(dir, { recursive: true });
});

const pem = (name: string): Buffer => readFileSync(join(dir, name));

/** Creates a self-signed certificate. */
function selfSigned(name: string): void {
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    `${name}.key`,
  ];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  execFileSync('openssl', ['req', '-x509', ...key, ...subject, '-days', '1', '-out', `${name}.pem`], {
    cwd: dir,
    stdio: 'ignore',
  });
}

const file = (name: string): string => join(dir, name);
const env = (): NodeJS.ProcessEnv => ({ BTFCTL_CONFIG: file('config.yaml'), XDG_CACHE_HOME: file('cache') });
const run = (...args: string[]): Promise<Ran> => btfctl(args, env());
const trust = (): string[] => ['--tls-ca', file('daemon.pem'), '--tls-server-name', 'daemon'];
const pair = (): string[] => ['--tls-cert', file('reader.pem'), '--tls-key', file('reader.key')];

test('options, and a context that was made with them, connect by mutual TLS', async () => {
  const list = ['list', '-o', 'name'];
  expect(await run(...list, '-a', daemon.address, ...trust(), ...pair())).toMatchObject({
    stdout: 'vmlinux\n',
  });
  const set = await run('context', 'set', 'node', '-a', daemon.address, ...trust(), ...pair());
  expect(set.status).toBe(0);
  expect(await run(...list, '--context', 'node')).toMatchObject({
    stdout: 'vmlinux\n',
    stderr: '',
    status: 0,
  });
  // The config file has the path of the key, not the key.
  expect(pem('config.yaml').toString()).not.toContain('PRIVATE');
});

test('paths in the config file start from its folder', async () => {
  const tls = 'tls: { ca: daemon.pem, cert: reader.pem, key: reader.key, server-name: daemon }';
  writeFileSync(
    file('relative.yaml'),
    `current-context: node\ncontexts:\n  node:\n    address: ${daemon.address}\n    ${tls}\n`,
  );
  expect(await run('list', '-o', 'name', '--config', file('relative.yaml'))).toMatchObject({
    stdout: 'vmlinux\n',
  });
});

test('BTF from another node is kept for the next time', async () => {
  const dump = ['dump', 'vmlinux', '-a', daemon.address, ...trust(), ...pair()];
  expect(existsSync(file('cache/btfd')) ? readdirSync(file('cache/btfd')) : []).toEqual([]);
  const first = await run(...dump);
  expect(first.stdout).toBe("[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED\n");
  expect(readdirSync(file('cache/btfd')).length).toBeGreaterThan(0);
  expect(await run(...dump)).toEqual(first);
});

test.each([
  ['an unknown authority', () => pair(), 'name that authority with --tls-ca'],
  ['another name in the certificate', () => ['--tls-ca', file('daemon.pem'), ...pair()], '--tls-server-name'],
  ['a connection without TLS', () => [], '--tls-ca'],
  ['a missing client certificate', () => trust(), '--tls-cert and --tls-key'],
])('%s is reported with a hint', async (_, options, hint) => {
  const ran = await run('list', '-a', daemon.address, ...options());
  expect(ran).toMatchObject({ status: 6, stdout: '' });
  expect(ran.stderr).toMatch(/^btfctl: cannot reach the daemon at 127\.0\.0\.1:\d+: /);
  expect(ran.stderr.split('hint: ')[1]).toContain(hint);
});

test.each([
  ['the key of another', ['reader.pem', 'daemon.key'], 'daemon.key is not the key of the certificate in '],
  [
    'a key for a certificate',
    ['reader.key', 'reader.key'],
    'certificate (cert): there is no certificate in ',
  ],
  ['a certificate for a key', ['reader.pem', 'reader.pem'], 'key: there is no key in '],
  ['an encrypted key', ['reader.pem', 'encrypted.key'], 'encrypted.key is encrypted'],
])('%s is rejected before connecting, with its name', async (_, [cert = '', key = ''], text) => {
  execFileSync(
    'openssl',
    ['ec', '-in', 'reader.key', '-aes128', '-passout', 'pass:x', '-out', 'encrypted.key'],
    {
      cwd: dir,
      stdio: 'ignore',
    },
  );
  const shown = ['--tls-cert', file(cert), '--tls-key', file(key)];
  const ran = await run('list', '-a', daemon.address, ...trust(), ...shown);
  expect(ran).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining(text) });
});

test.each(['reader.key', 'empty'])('a file without authorities is rejected: %s', async (name) => {
  writeFileSync(file('empty'), '');
  const ran = await run('list', '-a', daemon.address, '--tls-ca', file(name));
  expect(ran).toMatchObject({
    status: 2,
    stderr: `btfctl: authorities (ca): there is no certificate in ${file(name)}\nhint: \`btfctl list --help\` lists its arguments and options\n`,
  });
});

test('a context needs the key of a certificate, and --config an existing file', async () => {
  const config = file('other.yaml');
  const set = await run('context', 'set', 'half', '-a', 'x:1', '--tls-cert', 'me.pem', '--config', config);
  expect(set).toMatchObject({ status: 2, stderr: expect.stringContaining('needs its key') });
  expect(existsSync(config)).toBe(false);
  expect(await run('list', '--config', config)).toMatchObject({
    status: 3,
    stderr: `btfctl: there is no config file ${config}\nhint: \`btfctl --config ${config} context set NAME --address ADDRESS\` creates it\n`,
  });
});

test('the missing authorities of a context are not blamed on an option', async () => {
  const config = file('missing.yaml');
  writeFileSync(config, `contexts:\n  a:\n    address: ${daemon.address}\n    tls:\n      ca: nosuch.pem\n`);
  const { status, stderr } = await run('list', '--context', 'a', '--config', config);
  const missing = `ENOENT: no such file or directory, stat '${file('nosuch.pem')}'`;
  expect([status, stderr]).toEqual([2, `btfctl: context "a": authorities (ca): ${missing}\n`]);
});
