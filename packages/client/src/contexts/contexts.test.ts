import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { FakeDaemon } from '../fake-daemon/index.js';
import { fromContext, listContexts, parseConfig } from './contexts.js';

let dir: string;
let configFile: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'btfd-contexts-'));
  configFile = join(dir, 'config.yaml');
});

afterEach(() => rmSync(dir, { recursive: true }));

const CONFIG = `
current-context: here
contexts:
  here: { address: ADDRESS }
  web1: { address: 'web1:7443', tls: { ca: ca.pem, cert: /etc/me.pem, key: /etc/me.key, server-name: btfd } }
  web2: { address: 'web2:7443', tls: {} }
`;

test('a client of a context has its address; the default is the current one', async () => {
  await using daemon = await FakeDaemon.start();
  writeFileSync(configFile, CONFIG.replace('ADDRESS', JSON.stringify(daemon.address)));
  for (const name of ['here', undefined]) {
    await using client = await fromContext(name, { configFile, retries: 0 });
    expect((await client.serverInfo()).daemonEpoch).toBe(daemon.epoch);
  }
  await expect(fromContext('web1', { configFile })).rejects.toMatchObject({
    reason: 'INVALID_REQUEST',
    rawMessage: `tls.caFile: ENOENT: no such file or directory, stat '${join(dir, 'ca.pem')}'`,
  });
});

test('contexts are listed by a glob, with the files relative to the config file', async () => {
  writeFileSync(configFile, CONFIG.replace('ADDRESS', 'unix:/run/x.sock'));
  expect(await listContexts('web*', { configFile })).toEqual([
    {
      name: 'web1',
      address: 'web1:7443',
      tls: {
        caFile: join(dir, 'ca.pem'),
        certFile: '/etc/me.pem',
        keyFile: '/etc/me.key',
        serverName: 'btfd',
      },
      isCurrent: false,
    },
    { name: 'web2', address: 'web2:7443', tls: {}, isCurrent: false },
  ]);
  expect((await listContexts(undefined, { configFile })).map(({ isCurrent }) => isCurrent)).toEqual([
    true,
    false,
    false,
  ]);
});

test('a config file names the fleet, with paths relative to it', async () => {
  const text =
    'fleet: { etcd: "a:1,b:1", etcd-ca: etcd.pem, srv: false, tls: { ca: ~/ca.pem, server-name: btfd } }';
  const { config } = await parseConfig(text, configFile);
  expect(config.fleet).toEqual({
    source: { etcd: 'a:1,b:1', etcdCa: join(dir, 'etcd.pem'), srv: false },
    tls: { caFile: join(homedir(), 'ca.pem'), serverName: 'btfd' },
  });
  await expect(parseConfig('fleet: { srv: 1 }', configFile)).rejects.toThrow(
    'fleet.srv must be true or false',
  );
  await expect(parseConfig('fleet: { nodes: [] }', configFile)).rejects.toThrow(
    'unknown key fleet.nodes; known keys: contexts, dns',
  );
  await expect(parseConfig('fleet: { dns: "" }', configFile)).rejects.toThrow(
    'fleet.dns must be a non-empty string',
  );
});

test.each([
  [null, undefined, 'there is no config file FILE'],
  [CONFIG, 'web3', 'there is no context "web3"; known contexts: here, web1, web2'],
  ['contexts: {}', 'a', 'there is no context "a"; `btfctl context set NAME --address ADDRESS` creates one'],
  ['contexts: {}', undefined, 'there is no current context: pass the name of one'],
  ['contexts: [', 'a', 'FILE: Flow sequence in block collection must be sufficiently indented'],
  ['contexts: { a: { adress: x } }', 'a', 'FILE: unknown key contexts.a.adress; known keys: address, tls'],
])('the config file %j with the context %j is an error: %s', async (text, name, message) => {
  if (text !== null) writeFileSync(configFile, text);
  await expect(fromContext(name, { configFile })).rejects.toMatchObject({
    name: 'ConfigError',
    message: expect.stringContaining(message.replace('FILE', configFile)),
  });
});

test('YAML is loaded only for a config file that exists', async () => {
  const [client, contexts] = ['../../dist/index.js', '../../dist/contexts/index.js'].map(
    (path) => new URL(path, import.meta.url).href,
  );
  const program = `
    import { createRequire } from 'node:module';
    const loaded = () => Object.keys(createRequire('/x.js').cache).some((path) => path.includes('/yaml/'));
    await import(${JSON.stringify(client)});
    const { listContexts } = await import(${JSON.stringify(contexts)});
    const without = [(await listContexts()).length, loaded()];
    process.env.BTFCTL_CONFIG = ${JSON.stringify(configFile)};
    console.log(JSON.stringify([...without, (await listContexts()).length, loaded()]));`;
  mkdirSync(dirname(configFile), { recursive: true });
  writeFileSync(configFile, CONFIG.replace('ADDRESS', 'unix:/run/x.sock'));
  const words = ['--input-type=module', '-e', program];
  const env = { ...process.env, XDG_CONFIG_HOME: join(dir, 'none'), BTFCTL_CONFIG: '' };
  const { stdout } = await promisify(execFile)(process.execPath, words, { env, timeout: 120_000 });
  expect(JSON.parse(stdout)).toEqual([0, false, 3, true]);
});
