import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Etcd } from 'test-tools/etcd';
import { status } from '@btfd/client';
import { listNodes } from '../source/check-nodes.js';
import { BtfFleet } from '../fleet.js';
import { Fakes } from '../testing/fakes.js';
import { kernelBtf } from '../testing/kernels.js';
import { deadAddress, silentNode } from '../testing/stand-ins.js';
import { etcd3Package } from './etcd-client.js';
import { etcdNodes, type EtcdNodesOptions } from './etcd-nodes.js';

const SIGNAL = new AbortController().signal;

needs('etcd', 'etcdctl').describe('The nodes in etcd', () => {
  let etcd: Etcd;
  let prefixes = 0;

  beforeAll(async () => {
    etcd = await Etcd.start();
  });
  afterAll(async () => etcd[Symbol.asyncDispose]());

  /** Returns a source with a prefix of its own. */
  function source(options: Partial<EtcdNodesOptions> = {}) {
    const prefix = `/test${(prefixes += 1)}/`;
    const nodes = etcdNodes({ hosts: etcd.hosts, prefix, ...options });
    return {
      prefix,
      nodes,
      put: async (name: string, value: string) => etcd.ctlWith(value, 'put', '--', `${prefix}${name}`),
    };
  }

  test('are the keys with the prefix, as etcdctl put them', async () => {
    const { prefix, nodes, put } = source();
    expect(await nodes.list()).toEqual([]);
    await put('web1', '{"address": "10.0.0.1:7443", "labels": {"zone": "a"}}');
    await put('web2', '{"address": "[fd00::2]:7443", "later": 1}');
    await etcd.ctl('put', prefix.slice(0, -1), 'before the prefix');
    await etcd.ctl('put', `${prefix.slice(0, -1)}0`, 'after the prefix');
    expect(await nodes.list()).toEqual([
      { name: 'web1', address: '10.0.0.1:7443', labels: { zone: 'a' } },
      { name: 'web2', address: '[fd00::2]:7443', labels: {} },
    ]);
  });

  /** Puts nodes with numbered names, as many at once as a transaction has operations by default. */
  async function putMany(prefix: string, count: number): Promise<string[]> {
    const names = Array.from({ length: count }, (_, index) => `n${String(index).padStart(5, '0')}`);
    for (let i = 0; i < count; i += 128) {
      const puts = names.slice(i, i + 128).map((name) => `put ${prefix}${name} '{"address":"h:1"}'`);
      // No conditions, the commands if they hold, and those if they do not.
      await etcd.ctlWith(`\n${puts.join('\n')}\n\n\n`, 'txn');
    }
    return names;
  }

  test('are more than fit a page', async () => {
    const { prefix, nodes } = source();
    const names = await putMany(prefix, 100);
    expect((await nodes.list()).map(({ name }) => name)).toEqual(names);
  });

  test('are at most 10,000: more are refused, without reading all of them', async () => {
    const { prefix, nodes } = source();
    const names = await putMany(prefix, 10_100);
    const tooMany = listNodes(nodes, SIGNAL);
    await expect(tooMany).rejects.toThrow(/^etcd .* lists 100\d\d nodes: a fleet has at most 10000/);
    await etcd.ctl('del', `${prefix}n1`, '--prefix');
    expect((await listNodes(nodes, SIGNAL)).map(({ name }) => name)).toEqual(names.slice(0, 10_000));
  });

  test.each([
    ['not JSON', 'web1', '{"address": "10.0', 'its value is not JSON'],
    ['a list', 'web1', '["10.0.0.1:1"]', 'its address is not HOST:PORT'],
    ['null', 'web1', 'null', 'its value is not a JSON object'],
    [
      'a socket of the machine',
      'web1',
      '{"address":"unix:/run/btfd/btfd.sock"}',
      'its address is not HOST:PORT',
    ],
    ['a scheme of grpc', 'web1', '{"address":"dns:///example:1"}', 'its address is not HOST:PORT'],
    [
      'an address with a control character',
      'web1',
      '{"address":"h\\u001b:1"}',
      'its address is not HOST:PORT',
    ],
    ['a port that is none', 'web1', '{"address":"h:65536"}', 'its address is not HOST:PORT'],
    [
      'a label with a control character',
      'web1',
      '{"address":"h:1","labels":{"a":"\\u0007"}}',
      'a label is not',
    ],
    ['a label of another type', 'web1', '{"address":"h:1","labels":{"a":1}}', 'its labels are not an object'],
    ['a large value', 'web1', `{"address":"h:1","x":"${'x'.repeat(70_000)}"}`, 'has more than 65536 bytes'],
    ['a name with a space', 'web 1', '{"address":"h:1"}', 'its key is not the name of a node'],
    [
      'a name with a control character',
      'web\u001b[2J',
      '{"address":"h:1"}',
      'its key is not the name of a node',
    ],
    ['a name of 254 characters', 'n'.repeat(254), '{"address":"h:1"}', 'its key is not the name of a node'],
    ['no name', '', '{"address":"h:1"}', 'its key is not the name of a node'],
  ])('with %s have a problem, and hide no other node', async (_, name, value, problem) => {
    const { nodes, put } = source();
    await put('good', '{"address":"h:1"}');
    await put(name, value);
    const listed = await listNodes(nodes, SIGNAL);
    expect(listed).toHaveLength(2);
    expect(listed).toContainEqual({ name: 'good', address: 'h:1', labels: {} });
    expect(listed).toContainEqual({
      name: expect.stringMatching(name === 'web1' ? /^web1$/ : /^[!-~]{0,100}~[\da-f]{8}$/),
      address: '',
      problem: expect.stringContaining(problem),
    });
  });

  test('have no server name of their own', async () => {
    const { nodes, put } = source();
    await put('web1', '{"address":"h:1","serverName":"attacker.example"}');
    expect(await nodes.list()).toEqual([{ name: 'web1', address: 'h:1', labels: {} }]);
  });

  test('with sixty values of the largest size of etcd are listed', async () => {
    const { nodes, put } = source();
    const large = 'x'.repeat(1.5 * 1024 * 1024 - 1024);
    for (let i = 0; i < 60; i++) await put(`large${i}`, large);
    await put('zz', '{"address":"h:1"}');
    const listed = await nodes.list();
    expect(listed).toHaveLength(61);
    expect(listed.at(-1)).toMatchObject({ name: 'zz', address: 'h:1' });
  });

  test('are asked by a fleet, in which a hostile key is one failed node', async () => {
    const { nodes, put } = source();
    await using fakes = new Fakes();
    const kernel = kernelBtf('pid');
    for (const name of ['web1', 'web2']) {
      const { address } = await fakes.start(name, kernel);
      await put(name, JSON.stringify({ address }));
    }
    await put('web3', '{"address":"unix:/run/btfd/btfd.sock"}');
    await put('web\u001b4', 'x');
    await using fleet = new BtfFleet(nodes);
    const { builds, nodes: outcomes, complete } = await fleet.inventory();
    expect(builds.map((build) => build.nodes)).toEqual([['web1', 'web2']]);
    expect(complete).toBe(false);
    expect([...outcomes].map(([name, { kind }]) => `${name} ${kind}`).toSorted()).toEqual([
      'web1 answered',
      'web2 answered',
      'web3 failed',
      expect.stringMatching(/^web[?]4~[\da-f]{8} failed$/),
    ]);
    expect(outcomes.get('web3')).toMatchObject({
      error: { rawMessage: 'bad entry in etcd: its address is not HOST:PORT' },
    });
  });
});

describe('Listing fails', () => {
  test('if no member responds, and ends when the signal aborts', async () => {
    const hosts = [deadAddress(), deadAddress()];
    const dead = etcdNodes({ hosts });
    await expect(dead.list()).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      rawMessage: expect.stringMatching(
        `^etcd ${hosts.join(',')}, keys /btfd/nodes/[*]: cannot be reached: .*ECONNREFUSED`,
      ),
    });
    await using silent = await silentNode();
    const leaving = new AbortController();
    const listing = etcdNodes({ hosts: [silent.address] }).list({ signal: leaving.signal });
    const reason = new Error('enough');
    leaving.abort(reason);
    await expect(listing).rejects.toBe(reason);
  });

  test('if the package etcd3 is not installed, and says how to install it', async () => {
    const missing = new Error("Cannot find package 'etcd3' imported from /x");
    const loading = etcd3Package(async () => Promise.reject(missing));
    await expect(loading).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      rawMessage: expect.stringContaining('install it with `npm install etcd3` (Cannot find package'),
      cause: missing,
    });
  });

  test.each<[Partial<EtcdNodesOptions>, string]>([
    [{ hosts: [] }, 'hosts: must be a list of 1 to 32 addresses'],
    [{ hosts: ['etcd1'] }, 'hosts: invalid address "etcd1": use HOST:PORT'],
    [{ hosts: ['etcd1:2379/path'] }, 'hosts: invalid address'],
    [{ hosts: ['https://a:1', 'b:1'] }, 'hosts: must all begin with https:// if one does'],
    [{ hosts: ['http://a:1'], tls: { ca: '' } }, 'hosts: begin with http://, but there is `tls`'],
    [{ prefix: 'a b' }, 'prefix: must be 1 to 253 printable'],
    [{ tls: { ca: 'x', cert: 'y' } }, 'tls: must have both `cert` and `key`, or neither'],
    [{ tls: { ca: '', cert: 'y', key: 'z' } }, 'tls: cannot be used: '],
    [{ user: { name: 'a', password: '' } }, 'user: must have a name and a password'],
  ])('at once with %j', (options, message) => {
    expect(() => etcdNodes({ hosts: ['a:1'], ...options })).toThrow(message);
  });
});
