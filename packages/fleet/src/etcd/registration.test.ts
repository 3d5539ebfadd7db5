import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Etcd } from 'test-tools/etcd';
import { BtfClient, status } from '@btfd/client';
import { FakeDaemon } from '@btfd/client/testing';
import { kernelBtf } from '../testing/kernels.js';
import { etcdNodes } from './etcd-nodes.js';
import { checkEtcd } from './etcd-options.js';
import { NodeKey } from './node-key.js';
import { registerNode, type RegisterNodeOptions, registerNodeWith } from './register-node.js';
import type { RegistrationState, RegistrationTimes } from './registration.js';

/** A sixth of the real ones, except that a busy daemon does not count as gone. */
const TIMES: RegistrationTimes = {
  lease: 5_000,
  renew: 500,
  retry: 100,
  ask: 100,
  askLimit: 20_000,
  silence: 120_000,
};
/** A daemon that is stalled counts as gone. */
const IMPATIENT: RegistrationTimes = { ...TIMES, askLimit: 500, silence: 1_000 };

/** States collects the states of a registration, for tests that wait for one. */
class States {
  readonly all: RegistrationState[] = [];
  #wake = (): void => {};

  readonly add = (state: RegistrationState): void => {
    this.all.push(state);
    this.#wake();
  };

  /** Waits until the next state of a kind, and forgets it and those before it. */
  async next(kind: RegistrationState['kind']): Promise<RegistrationState> {
    for (;;) {
      const state = this.all.shift();
      if (state === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      else if (state.kind === kind) return state;
    }
  }
}

needs('etcd', 'etcdctl').describe('A registration', () => {
  let etcd: Etcd;
  let daemon: FakeDaemon;
  let client: BtfClient;
  let prefixes = 0;

  beforeAll(async () => {
    etcd = await Etcd.start();
    daemon = await FakeDaemon.start({ objects: [{ name: 'vmlinux', btf: kernelBtf('pid') }] });
    client = new BtfClient(daemon.address, { retries: 0 });
  });
  afterAll(async () => {
    await client.close();
    await daemon.stop();
    await etcd[Symbol.asyncDispose]();
  });

  function options(choices: Partial<RegisterNodeOptions> = {}) {
    const states = new States();
    const prefix = `/reg${(prefixes += 1)}/`;
    const all = { hosts: etcd.hosts, prefix, name: 'web1', address: '10.0.0.1:7443', daemon: client };
    return { states, prefix, key: `${prefix}web1`, all: { ...all, onState: states.add, ...choices } };
  }

  /** Returns the value and the lease of a key, as etcdctl prints them. */
  async function read(key: string): Promise<{ value: string; lease: string } | null> {
    const fields = await etcd.ctl('get', key, '-w', 'fields');
    const [, value] = /^"Value" : (".*")$/m.exec(fields) ?? [];
    const [, lease = ''] = /^"Lease" : (\d+)$/m.exec(fields) ?? [];
    return value === undefined
      ? null
      : { value: JSON.parse(value), lease: BigInt(lease).toString(16).padStart(16, '0') };
  }

  /** Returns the time to live that etcd has granted to a lease, in seconds. */
  async function granted(lease: string): Promise<number> {
    const text = await etcd.ctl('lease', 'timetolive', lease);
    return Number(/granted with TTL\((\d+)s\)/.exec(text)?.[1]);
  }

  test('puts the key under a lease of 30 s, and revokes it when it is closed', async () => {
    const { key, states, all } = options({ labels: { zone: 'a' } });
    await using registration = registerNode(all);
    await states.next('registered');
    const found = await read(key);
    expect(JSON.parse(found?.value ?? '')).toEqual({ address: '10.0.0.1:7443', labels: { zone: 'a' } });
    expect(await granted(found?.lease ?? '')).toBe(30);
    expect(await etcdNodes({ hosts: etcd.hosts, prefix: all.prefix }).list()).toEqual([
      { name: 'web1', address: '10.0.0.1:7443', labels: { zone: 'a' } },
    ]);
    await registration.close();
    await registration.ended;
    expect(await read(key)).toBeNull();
    expect(await etcd.ctl('lease', 'list')).not.toContain(found?.lease);
    expect(states.all).toEqual([]);
  });

  test('leaves no key without a lease when it is closed in the middle of a renewal', async () => {
    const { prefix, states, all } = options();
    for (let i = 0; i < 60; i++) {
      await using registration = registerNodeWith({ ...all, name: `web${i}` }, { ...TIMES, renew: 1 });
      await states.next('registered');
      // Some are closed at each step of a renewal.
      await sleep(5 + (i % 10) / 2);
      void registration;
    }
    // A lease that a slow etcd does not revoke in time still expires.
    expect(await etcd.ctl('get', prefix, '--prefix', '-w', 'fields')).not.toContain('"Lease" : 0\n');
  });

  test('creates no key without a lease', async () => {
    const { prefix, key } = options();
    const own = await NodeKey.open(checkEtcd({ hosts: etcd.hosts, prefix }), 'web1');
    await own.keep(60);
    await own.revoke();
    await expect(own.create('{}')).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      rawMessage: `the lease of the key ${key} of etcd was revoked`,
    });
    own.close();
    expect(await read(key)).toBeNull();
  });

  test('ends when its signal aborts', async () => {
    const leaving = new AbortController();
    const { key, states, all } = options({ signal: leaving.signal });
    const registration = registerNode(all);
    await states.next('registered');
    leaving.abort();
    await registration.ended;
    expect(await read(key)).toBeNull();
  });

  test('renews the lease, which would expire otherwise', async () => {
    const { key, states, all } = options();
    await using registration = registerNodeWith(all, { ...TIMES, lease: 10_000 });
    await states.next('registered');
    const first = await read(key);
    await new Promise((resolve) => setTimeout(resolve, 13_000));
    expect(await read(key)).toEqual(first);
    expect(states.all).toEqual([]);
    void registration;
  });

  test('waits for a daemon that does not respond, and registers it then', async () => {
    const go = daemon.stall('getServerInfo');
    const { key, states, all } = options();
    await using registration = registerNodeWith(all, IMPATIENT);
    expect(await states.next('waiting')).toMatchObject({ error: { code: status.DEADLINE_EXCEEDED } });
    expect(await read(key)).toBeNull();
    go();
    await states.next('registered');
    expect(await read(key)).not.toBeNull();
    void registration;
  });

  test('ends the lease of a daemon that responds no more, and registers it again when it does', async () => {
    const { key, states, all } = options();
    await using registration = registerNodeWith(all, IMPATIENT);
    await states.next('registered');
    const first = await read(key);
    const go = daemon.stall('getServerInfo');
    expect(await states.next('waiting')).toMatchObject({ error: { code: status.DEADLINE_EXCEEDED } });
    expect(await read(key)).toBeNull();
    expect(await etcd.ctl('lease', 'list')).not.toContain(first?.lease);
    go();
    await states.next('registered');
    expect((await read(key))?.lease).not.toBe(first?.lease);
    void registration;
  });

  test('fails for a key under another lease with another value, and leaves it', async () => {
    const { key, states, all } = options();
    const lease = /lease (\w+) granted/.exec(await etcd.ctl('lease', 'grant', '60'))?.[1] ?? '';
    await etcd.ctl('put', key, '{"address":"10.0.0.9:1"}', '--lease', lease);
    const registration = registerNodeWith(all, TIMES);
    await expect(registration.ended).rejects.toMatchObject({
      code: status.ALREADY_EXISTS,
      rawMessage: `the key ${key} of etcd is under another lease, ${lease}: another process registers this name`,
    });
    expect(await read(key)).toEqual({ value: '{"address":"10.0.0.9:1"}', lease });
    // Its own lease is revoked.
    expect((await etcd.ctl('lease', 'list')).trim().split('\n').slice(1)).toEqual([lease]);
    expect(states.all).toEqual([]);
    await etcd.ctl('lease', 'revoke', lease);
  });

  test('fails for a key without a lease, and says how to remove it', async () => {
    const { key, all } = options();
    await etcd.ctl('put', key, 'by hand');
    const { ended } = registerNodeWith(all, TIMES);
    const error: unknown = await ended.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: status.ALREADY_EXISTS });
    const [, command = ''] = /remove it with `etcdctl (.+?)`/.exec(String(error)) ?? [];
    await etcd.ctl(...command.split(' '));
    expect(await read(key)).toBeNull();
  });

  test('waits for the key of a process of the same node that was killed, until it has expired', async () => {
    const { key, states, all } = options();
    const value = JSON.stringify({ address: all.address, labels: {} });
    const lease = /lease (\w+) granted/.exec(await etcd.ctl('lease', 'grant', '2'))?.[1] ?? '';
    await etcd.ctl('put', key, value, '--lease', lease);
    await using registration = registerNodeWith(all, TIMES);
    expect(await states.next('retrying')).toMatchObject({ error: { code: status.ALREADY_EXISTS } });
    await states.next('registered');
    expect((await read(key))?.lease).not.toBe(lease);
    void registration;
  });

  test('fails if another process with the same value renews its lease', async () => {
    const { key, states, all } = options();
    await using first = registerNodeWith(all, TIMES);
    await states.next('registered');
    const second = registerNodeWith({ ...all, onState: () => {} }, TIMES);
    await expect(second.ended).rejects.toMatchObject({ code: status.ALREADY_EXISTS });
    expect(await read(key)).not.toBeNull();
    expect(states.all).toEqual([]);
    void first;
  });

  test('creates the key again if it was removed, and gets another lease if its own was revoked', async () => {
    const { key, states, all } = options();
    await using registration = registerNodeWith(all, TIMES);
    await states.next('registered');
    const first = await read(key);
    await etcd.ctl('del', key);
    while ((await read(key)) === null);
    expect(await read(key)).toEqual(first);
    await etcd.ctl('lease', 'revoke', first?.lease ?? '');
    while ((await read(key)) === null);
    expect((await read(key))?.lease).not.toBe(first?.lease);
    void registration;
  });

  test('of a process that is stopped for longer than its lease registers again', async () => {
    const { key, states, all } = options();
    await using registration = registerNodeWith(all, { ...TIMES, lease: 2_000 });
    await states.next('registered');
    const first = await read(key);
    // Nothing else runs in this process meanwhile, as after SIGSTOP.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4_000);
    expect((await read(key))?.lease).not.toBe(first?.lease);
    while ((await read(key)) === null);
    void registration;
  });

  test.each<[Partial<RegisterNodeOptions>, string]>([
    [{ address: 'unix:/run/btfd/btfd.sock' }, 'address: must be HOST:PORT'],
    [{ address: 'host' }, 'address: must be HOST:PORT'],
    [{ address: 'host:0' }, 'address: must be HOST:PORT'],
    [{ name: 'a/b' }, 'name: must be 253 printable'],
    [{ name: '' }, 'name: must be 253 printable'],
    [{ labels: { zone: '\u0007' } }, 'labels: a label is not'],
    [{ hosts: [] }, 'hosts: must be a list'],
    [{ prefix: '' }, 'prefix: must be 1 to 253'],
  ])('is refused with %j', (choices, message) => {
    expect(() => registerNode(options(choices).all)).toThrow(message);
  });
});
