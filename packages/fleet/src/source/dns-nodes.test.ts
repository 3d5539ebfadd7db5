import { describe, expect, test } from '@jest/globals';
import { status } from '@btfd/client';
import { DnsServer, type DnsRecords } from '../testing/dns-server.js';
import { listNodes } from './check-nodes.js';
import { dnsNodes, type DnsNodesOptions } from './dns-nodes.js';

const MANY = Array.from({ length: 1_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);

const RECORDS: Readonly<Record<string, DnsRecords>> = {
  'btfd.example': { A: ['10.0.0.1', '10.0.0.2'], AAAA: ['fd00::1'] },
  'v6.example': { AAAA: ['fd00::1'] },
  'empty.example': {},
  'many.example': { A: MANY },
  '_grpc._tcp.btfd.example': {
    SRV: [
      { target: 'web1.example', port: 7443 },
      { target: 'web2.example', port: 7443 },
      { target: 'web1.example', port: 7444 },
      { target: 'gone.example', port: 7443 },
      { target: 'empty.example', port: 7443 },
      { target: 'failing.example', port: 7443 },
      { target: 'half.example', port: 7443 },
      { target: 'web2.example', port: 0 },
    ],
  },
  'failing.example': { fails: ['A', 'AAAA'] },
  'half.example': { A: ['10.0.0.5'], fails: ['AAAA'] },
  '_none._tcp.btfd.example': { SRV: [{ target: '', port: 0 }] },
  'web1.example': { A: ['10.0.0.1'], AAAA: ['fd00::1'] },
  'web2.example': { AAAA: ['fd00::2'] },
  '_many._tcp.btfd.example': {
    SRV: MANY.map((_, index) => ({ target: `web${index}.many.example`, port: 7443 })),
  },
  ...Object.fromEntries(MANY.map((address, index) => [`web${index}.many.example`, { A: [address] }])),
};

async function listed(server: DnsServer, target: string, options: DnsNodesOptions = {}) {
  return dnsNodes(target, { servers: [server.address], ...options }).list();
}

const problem = (name: unknown, text: string) => ({ name, address: '', problem: text });

describe('The nodes of a DNS name', () => {
  test('are its addresses of both families, without names', async () => {
    await using server = await DnsServer.start(RECORDS);
    expect(await listed(server, 'btfd.example:7443')).toEqual([
      { address: '10.0.0.1:7443' },
      { address: '10.0.0.2:7443' },
      { address: '[fd00::1]:7443' },
    ]);
    expect(await listed(server, 'v6.example:1')).toEqual([{ address: '[fd00::1]:1' }]);
  });

  test('are more than fit a datagram', async () => {
    await using server = await DnsServer.start(RECORDS);
    const nodes = await listed(server, 'many.example:7443');
    expect(nodes.map(({ address }) => address)).toEqual(MANY.map((address) => `${address}:7443`));
    expect(server.asked.tcp).toBe(1);
  });

  test('are the targets of SRV records with their ports, each with one address or a problem', async () => {
    await using server = await DnsServer.start(RECORDS);
    const nodes = await listed(server, '_grpc._tcp.btfd.example', { srv: true });
    expect(new Set(nodes)).toEqual(
      new Set([
        { name: 'web1.example', address: '10.0.0.1:7443' },
        { name: 'web2.example', address: '[fd00::2]:7443' },
        { name: 'web1.example:7444', address: '10.0.0.1:7444' },
        { name: 'half.example', address: '10.0.0.5:7443' },
        problem('gone.example', 'gone.example has no addresses in DNS'),
        problem('empty.example', 'empty.example has no addresses in DNS'),
        problem('failing.example', 'cannot look up failing.example: ESERVFAIL'),
        problem('web2.example:0', 'its SRV record has the port 0'),
      ]),
    );
  });

  test('are a thousand targets of SRV records', async () => {
    await using server = await DnsServer.start(RECORDS);
    const nodes = await listed(server, '_many._tcp.btfd.example', { srv: true });
    expect(new Set(nodes.map(({ address }) => address))).toEqual(new Set(MANY.map((each) => `${each}:7443`)));
    expect(server.asked.tcp).toBe(1);
  });
});

test.each(['unix:/run/btfd/btfd', 'a\u001b[2J', 'a b', 'dns://127.0.0.1/a'])(
  'A target of SRV records that is not a host name cannot be asked, and hides no other one: %j',
  async (target) => {
    const SRV = [
      { target: 'web1.example', port: 1 },
      { target, port: 7443 },
    ];
    await using server = await DnsServer.start({ ...RECORDS, 'bad.example': { SRV } });
    const source = dnsNodes('bad.example', { srv: true, servers: [server.address] });
    expect(await listNodes(source, new AbortController().signal)).toEqual(
      expect.arrayContaining([
        { name: 'web1.example', address: '10.0.0.1:1' },
        problem(expect.stringMatching(/^[!-~]+$/), 'the target of its SRV record is not a host name'),
      ]),
    );
  },
);

describe('Listing fails', () => {
  test.each([
    ['nothing.example:1', {}, 'nothing.example has no addresses in DNS'],
    ['empty.example:1', {}, 'empty.example has no addresses in DNS'],
    ['btfd.example', { srv: true }, 'btfd.example has no SRV records in DNS'],
    ['_none._tcp.btfd.example', { srv: true }, '_none._tcp.btfd.example has no SRV records in DNS'],
  ])('if %s has no records', async (target, options, rawMessage) => {
    await using server = await DnsServer.start(RECORDS);
    await expect(listed(server, target, options)).rejects.toMatchObject({
      code: status.NOT_FOUND,
      rawMessage,
    });
  });

  test('if not both families of addresses can be looked up', async () => {
    await using server = await DnsServer.start(RECORDS);
    await expect(listed(server, 'half.example:1')).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      rawMessage: 'cannot look up half.example: ESERVFAIL',
    });
  });

  test('if no server responds', async () => {
    const server = await DnsServer.start(RECORDS);
    const source = dnsNodes('btfd.example:1', { servers: [server.address] });
    await server[Symbol.asyncDispose]();
    await expect(source.list()).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      rawMessage: expect.stringMatching(/^cannot look up btfd.example: E/),
    });
  });

  test.each([{}, { srv: true }])('with the reason of a signal that aborts: %j', async (options) => {
    await using server = await DnsServer.start(RECORDS);
    server.isSilent = true;
    const leaving = new AbortController();
    const source = dnsNodes(options.srv === true ? 'btfd.example' : 'btfd.example:1', {
      ...options,
      servers: [server.address],
    });
    const listing = source.list({ signal: leaving.signal });
    const reason = new Error('enough');
    leaving.abort(reason);
    await expect(listing).rejects.toBe(reason);
    await expect(source.list({ signal: leaving.signal })).rejects.toBe(reason);
  });
});

test.each<[string, DnsNodesOptions, string]>([
  ['btfd.example', {}, 'target: must be NAME:PORT'],
  ['btfd.example:0', {}, 'target: must be NAME:PORT'],
  ['btfd.example:65536', {}, 'target: must be NAME:PORT'],
  ['unix:/run/btfd.sock', {}, 'target: must be NAME:PORT'],
  ['*.example:1', {}, 'target: must be NAME:PORT'],
  ['btfd.example:1', { srv: true }, 'target: must be a name of DNS'],
  ['btfd.example:1', { servers: ['example'] }, 'servers: must be IP or IP:PORT'],
])('The target %s with %j is refused', (target, options, message) => {
  expect(() => dnsNodes(target, options)).toThrow(message);
});
