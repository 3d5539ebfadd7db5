import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Etcd } from 'test-tools/etcd';
import { BtfClient } from '@btfd/client';
import { BtfFleet } from '../fleet.js';
import { Fakes } from '../testing/fakes.js';
import { NEW_KERNEL, OLD_KERNEL } from '../testing/kernels.js';
import type { FleetChange } from '../watch/fleet-change.js';
import { etcdNodes } from './etcd-nodes.js';
import { registerNode } from './register-node.js';

/** Longer than a test, so that only what etcd says brings a change. */
const INTERVAL = 3_600_000;

/** Reads the changes of a fleet in etcd. */
class Reader implements AsyncDisposable {
  readonly #fleet: BtfFleet;
  readonly #changes: AsyncGenerator<FleetChange, void, undefined>;

  constructor(etcd: Etcd, prefix: string) {
    this.#fleet = new BtfFleet(etcdNodes({ hosts: etcd.hosts, prefix }), { connectTimeout: 30_000 });
    this.#changes = this.#fleet.watch({ interval: INTERVAL });
  }

  /** Returns the next change in short. */
  async next(): Promise<string> {
    const { value: change } = await this.#changes.next();
    if (change === undefined) return 'ended';
    if (change.kind === 'synced') return `synced ${change.nodes} ${change.builds}`;
    if (change.kind === 'source-failed') return change.kind;
    const outcome = 'outcome' in change ? ` ${change.outcome.kind}` : '';
    return `${change.kind} ${change.name}${outcome}`;
  }

  async some(count: number): Promise<string[]> {
    const found: string[] = [];
    for (let index = 0; index < count; index++) found.push(await this.next());
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#fleet.close();
  }
}

needs('etcd', 'etcdctl').describe('A watch of a fleet in etcd', () => {
  let etcd: Etcd;

  beforeAll(async () => {
    etcd = await Etcd.start();
  });
  afterAll(async () => etcd[Symbol.asyncDispose]());

  const entry = (address: string): string => JSON.stringify({ address });
  const lease = async (seconds: number): Promise<string> =>
    /lease (\w+) granted/.exec(await etcd.ctl('lease', 'grant', String(seconds)))?.[1] ?? '';

  test('reports nodes that are put, move, are removed, expire and are revoked', async () => {
    const prefix = '/watch/';
    await using fakes = new Fakes();
    const [a, b, c] = [
      await fakes.start('a', OLD_KERNEL),
      await fakes.start('b', NEW_KERNEL),
      await fakes.start('c', NEW_KERNEL),
    ];
    await using reader = new Reader(etcd, prefix);
    expect(await reader.next()).toBe('synced 0 0');
    await etcd.ctl('put', `${prefix}a`, entry(a.address));
    expect(await reader.some(2)).toEqual(['node-appeared a answered', 'build-appeared a']);
    // Long enough for etcdctl and a daemon on a busy machine.
    const short = await lease(10);
    await etcd.ctl('put', `${prefix}b`, entry(b.address), '--lease', short);
    expect(await reader.some(2)).toEqual(['node-appeared b answered', 'build-appeared b']);
    // Nothing renews the lease.
    expect(await reader.some(2)).toEqual(['node-left b', 'build-left b']);
    const long = await lease(3_600);
    await etcd.ctl('put', `${prefix}c`, entry(c.address), '--lease', long);
    expect(await reader.some(2)).toEqual(['node-appeared c answered', 'build-appeared c']);
    await etcd.ctl('lease', 'revoke', long);
    expect(await reader.some(2)).toEqual(['node-left c', 'build-left c']);
    // The daemon of a key may be another one, and no daemon at all.
    await etcd.ctl('put', `${prefix}a`, entry(b.address));
    expect((await reader.some(3)).toSorted()).toEqual([
      'build-appeared a',
      'build-left a',
      'node-changed a answered',
    ]);
    await etcd.ctl('put', `${prefix}a`, 'not JSON');
    expect(await reader.next()).toBe('node-changed a failed');
    await etcd.ctl('del', `${prefix}a`);
    expect(await reader.some(2)).toEqual(['node-left a', 'build-left a']);
  });

  test('reports a node that registers itself, and that it leaves', async () => {
    const prefix = '/registered/';
    await using fakes = new Fakes();
    const { address } = await fakes.start('a', NEW_KERNEL);
    await using daemon = new BtfClient(address);
    await using reader = new Reader(etcd, prefix);
    expect(await reader.next()).toBe('synced 0 0');
    const registration = registerNode({ hosts: etcd.hosts, prefix, name: 'a', address, daemon });
    expect(await reader.some(2)).toEqual(['node-appeared a answered', 'build-appeared a']);
    await registration.close();
    expect(await reader.some(2)).toEqual(['node-left a', 'build-left a']);
  });

  test('reports what changed during an outage of etcd after it', async () => {
    const prefix = '/outage/';
    await using fakes = new Fakes();
    const [a, b] = [await fakes.start('a', OLD_KERNEL), await fakes.start('b', NEW_KERNEL)];
    await etcd.ctl('put', `${prefix}a`, entry(a.address));
    await using reader = new Reader(etcd, prefix);
    expect(await reader.some(3)).toEqual(['node-appeared a answered', 'build-appeared a', 'synced 1 1']);
    const [member] = etcd.members;
    await member?.kill();
    // Nobody watches yet when the key is put: beginning to watch is a hint too.
    member?.start();
    await etcd.ctl('put', `${prefix}b`, entry(b.address));
    const changes: string[] = [];
    while (!changes.includes('build-appeared b')) changes.push(await reader.next());
    expect(changes).toContain('node-appeared b answered');
    expect(changes).not.toContain('node-left a');
  });
});
