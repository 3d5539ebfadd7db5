import { expect, test } from '@jest/globals';
import { endpoint, endpointSlice, type SliceFields } from 'test-tools/kubernetes-api';
import { listNodes } from '../source/check-nodes.js';
import { Cluster } from '../testing/cluster.js';

const GOOD = endpointSlice('btfd-a', { endpoints: [endpoint('web1', '10.0.0.1')] });
const WEB1 = expect.objectContaining({ name: 'web1', address: '10.0.0.1:7443' });

/** Lists a good slice and others, which the API server would not store. */
async function besideGood(...items: readonly unknown[]): Promise<readonly unknown[]> {
  await using cluster = await Cluster.start();
  cluster.api.faults = [
    (response) => {
      const list = { kind: 'EndpointSliceList', apiVersion: 'discovery.k8s.io/v1', metadata: {} };
      response.writeHead(200).end(JSON.stringify({ ...list, items: [GOOD, ...items] }));
    },
  ];
  return await listNodes(cluster.source(), new AbortController().signal);
}

const slice = (fields: SliceFields): SliceFields => ({
  ...endpointSlice('btfd-b', { endpoints: [endpoint('web2', '10.0.0.2')] }),
  ...fields,
});
const bad = (fields: SliceFields): SliceFields =>
  slice({ endpoints: [endpoint('web2', '10.0.0.2', fields), endpoint('web3', '10.0.0.3')] });
const at = (address: string): SliceFields =>
  slice({ endpoints: [endpoint('web2', address), endpoint('web3', '10.0.0.3')] });

test.each<[string, SliceFields, string, string]>([
  [
    'another type',
    slice({ endpoints: ['x', endpoint('web3', '10.0.0.3')] }),
    'EndpointSlice/btfd-b#0',
    'it is not an object',
  ],
  ['no address', bad({ addresses: [] }), 'web2', 'its address is not one of the type of its slice'],
  ['addresses of another type', bad({ addresses: 'x' }), 'web2', 'its addresses are not a list'],
  ['a socket as address', at('unix:/run/x.sock'), 'web2', 'its address is not one of the type'],
  ['a name as address', at('evil.example'), 'web2', 'its address is not one of the type'],
  ['an address of the other family', at('fd00::2'), 'web2', 'its address is not one of the type'],
  [
    'a name that is not printable',
    bad({ nodeName: 'a\u001b[2J', targetRef: undefined }),
    'EndpointSlice/btfd-b#0',
    'the name of its node is not a printable name of at most 253 characters',
  ],
  [
    'a long name, but that of a target',
    bad({ nodeName: 'n'.repeat(254) }),
    'btfd-web2',
    'the name of its node',
  ],
  ['a target of another type', bad({ targetRef: 'x' }), 'web2', 'its target is not an object'],
  ['a zone of another type', bad({ zone: {} }), 'web2', 'its zone is not a printable name'],
  [
    'conditions of another type',
    bad({ conditions: [] }),
    'web2',
    'the value of its conditions is not an object',
  ],
])('An endpoint with %s cannot be asked, and hides no other one', async (_, item, name, problem) => {
  expect(await besideGood(item)).toEqual([
    WEB1,
    {
      name,
      address: '',
      problem: expect.stringContaining(`bad endpoint EndpointSlice/btfd-b#0: ${problem}`),
    },
    expect.objectContaining({ name: 'web3', address: '10.0.0.3:7443' }),
  ]);
});

test.each<[string, unknown, string | RegExp, string]>([
  ['that is not an object', 1, 'EndpointSlice/1', 'it is not an object'],
  ['without metadata', {}, 'EndpointSlice/{}', 'its type of addresses is not a text'],
  [
    'with a name that is not printable',
    slice({ metadata: { name: 'a\u001b[2J' }, ports: {} }),
    /^EndpointSlice\/[!-~]{1,100}~[\da-f]{8}$/,
    'its ports are not a list',
  ],
  [
    'with a type of addresses of another type',
    slice({ addressType: ['IPv4'] }),
    'EndpointSlice/btfd-b',
    'its type',
  ],
  [
    'with endpoints of another type',
    slice({ endpoints: 'x' }),
    'EndpointSlice/btfd-b',
    'its endpoints are not a list',
  ],
  ['with ports of another type', slice({ ports: {} }), 'EndpointSlice/btfd-b', 'its ports are not a list'],
  ['with a port of another type', slice({ ports: [[]] }), 'EndpointSlice/btfd-b', 'a port is not an object'],
  [
    'with a port without a number',
    slice({ ports: [{ name: 'grpc' }] }),
    'EndpointSlice/btfd-b',
    'its port has no number',
  ],
  [
    'with a port that is too large',
    slice({ ports: [{ name: 'grpc', port: 65_536 }] }),
    'EndpointSlice/btfd-b',
    'its port has no number',
  ],
])(
  'A slice %s is one node that cannot be asked, and hides no other slice',
  async (_, item, name, problem) => {
    expect(await besideGood(item)).toEqual([
      WEB1,
      {
        name: typeof name === 'string' ? name : expect.stringMatching(name),
        address: '',
        problem: expect.stringContaining(`bad EndpointSlice: ${problem}`),
      },
    ]);
  },
);

test('Slices of a type of addresses that does not exist yet are skipped', async () => {
  const later = ['IPv8', 'constructor', '__proto__'].map((addressType) => slice({ addressType }));
  expect(await besideGood(...later)).toEqual([WEB1]);
});

test('Bad slices without names are several nodes', async () => {
  expect(await besideGood({ a: 1 }, { a: 2 })).toHaveLength(3);
});

test('A node with one bad endpoint and a good one is asked', async () => {
  const v6 = slice({ addressType: 'IPv6', endpoints: [endpoint('web1', 'fe80::1%eth0')] });
  expect(await besideGood(v6)).toEqual([WEB1]);
});
