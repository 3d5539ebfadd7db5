import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { defaultAddress } from '@btfd/client/default-address';
import { readConfig } from '@btfd/client/contexts';
import { nodeNamed, targetOf, type TargetOptions } from './target.js';

const config = readConfig(
  {
    'current-context': 'web1',
    contexts: {
      web1: { address: 'web1:7443', tls: { ca: 'ca.pem', cert: '/etc/me.pem', key: '/etc/me.key' } },
      here: { address: 'unix:/run/x.sock' },
    },
  },
  '/home/me/.config/btfd/config.yaml',
);

const addressOf = async (options: Partial<TargetOptions>, env: NodeJS.ProcessEnv = {}): Promise<string> =>
  (await targetOf({ tls: {}, ...options }, env, async () => config)).address;

test('options override the environment, and both override the config file', async () => {
  const env = { BTFD_ADDRESS: 'env:1', BTFD_CONTEXT: 'here' };
  expect(await addressOf({ address: 'flag:1' }, env)).toBe('flag:1');
  expect(await addressOf({ context: 'here' }, env)).toBe('unix:/run/x.sock');
  expect(await addressOf({}, env)).toBe('env:1');
  expect(await addressOf({}, { BTFD_CONTEXT: 'here' })).toBe('unix:/run/x.sock');
  expect(await addressOf({}, { BTFD_ADDRESS: '' })).toBe('web1:7443');
  expect((await targetOf({ tls: {} }, {}, async () => readConfig(null, 'none'))).address).toBe(
    defaultAddress(),
  );
});

test('an explicit address does not use the certificates of the current context', async () => {
  expect((await targetOf({ address: 'other:1', tls: {} }, {}, async () => config)).tls).toBeNull();
});

test('the files of a context are relative to the config file, and options override them', async () => {
  const { tls, context } = await targetOf({ tls: { caFile: 'mine.pem' } }, {}, async () => config);
  // An error about a file must not blame the context for that of an option.
  expect(context).toBeNull();
  const renamed = await targetOf({ tls: { serverName: 'web' } }, {}, async () => config);
  expect(renamed).toMatchObject({ context: config.currentContext, tls: { serverName: 'web' } });
  expect(tls).toEqual({
    caFile: 'mine.pem',
    certFile: '/etc/me.pem',
    keyFile: '/etc/me.key',
    serverName: undefined,
  });
  expect((await targetOf({ tls: {} }, {}, async () => config)).tls?.caFile).toBe(
    '/home/me/.config/btfd/ca.pem',
  );
});

test('a path with ~/ starts from the home of the user', () => {
  const home = readConfig({ contexts: { a: { address: 'x:1', tls: { ca: '~/ca.pem' } } } }, '/etc/c.yaml');
  expect(home.contexts.get('a')?.tls?.caFile).toBe(join(homedir(), 'ca.pem'));
});

test('a node is named by its context or its address, and a Unix socket has no TLS', () => {
  expect(nodeNamed('here', config, { caFile: 'x' })).toEqual({
    address: 'unix:/run/x.sock',
    tls: null,
    context: 'here',
  });
  expect(nodeNamed('web2:1', config, { caFile: 'x' })).toMatchObject({
    address: 'web2:1',
    tls: { caFile: 'x' },
  });
  expect(() => nodeNamed('web3', config, {})).toThrow('there is no context "web3"');
});

const NO_ADDRESSES = ['web1', 'web1:0', 'web1:65536', 'web1:99999', 'https://web1:7443'];
const NO_PATHS = [
  'unix:run/x.sock',
  'unix://run/x.sock',
  'unix:',
  'unix:/',
  'unix://',
  'unix:///',
  'unix:////x',
];

test.each([...NO_ADDRESSES, ...NO_PATHS])('%s is not an address', async (address) => {
  await expect(addressOf({ address })).rejects.toThrow(
    `invalid address "${address}": use unix:/PATH or HOST:PORT`,
  );
});

test('an address together with a context is rejected', async () => {
  await expect(addressOf({ address: 'a:1', context: 'here' })).rejects.toThrow('name two daemons');
});

test.each([
  [[], 'the file must be a mapping'],
  [{ contexts: { a: {} } }, 'contexts.a has no address'],
  [{ contexts: { a: { address: 5 } } }, 'contexts.a.address must be a non-empty string'],
  [{ context: {} }, 'unknown key context'],
  [{ contexts: { a: { address: 'x:1', tls: { cart: 'x' } } } }, 'unknown key contexts.a.tls.cart'],
])('a config file with %j is rejected: %s', (value, message) => {
  expect(() => readConfig(value, '/c.yaml')).toThrow(`/c.yaml: ${message}`);
});
