import { execFile } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Etcd } from 'test-tools/etcd';
import { BtfClient, status } from '@btfd/client';
import { FakeDaemon } from '@btfd/client/testing';
import { etcdNodes } from './etcd-nodes.js';
import { registerNode, registerNodeWith } from './register-node.js';
import type { RegistrationState } from './registration.js';

/** Watches, and waits for changes. */
class Changes implements AsyncDisposable {
  readonly #leaving = new AbortController();
  readonly #changes: AsyncIterator<void> | undefined;

  constructor(etcd: Etcd, prefix: string) {
    const source = etcdNodes({ hosts: etcd.hosts, prefix });
    this.#changes = source.changes?.({ signal: this.#leaving.signal })[Symbol.asyncIterator]();
  }

  async next(): Promise<void> {
    await this.#changes?.next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leaving.abort();
    expect(await this.#changes?.next()).toEqual({ done: true, value: undefined });
  }
}

/** Lists until the names are those, as often as there is a change. */
async function untilListed(etcd: Etcd, prefix: string, changes: Changes, names: readonly string[]) {
  const source = etcdNodes({ hosts: etcd.hosts, prefix });
  for (;;) {
    const listed = (await source.list()).map(({ name }) => name);
    if (listed.join() === names.join()) return;
    await changes.next();
  }
}

needs('etcd', 'etcdctl').describe('A watch of one member', () => {
  let etcd: Etcd;

  beforeAll(async () => {
    etcd = await Etcd.start();
  });
  afterAll(async () => etcd[Symbol.asyncDispose]());

  test('sees keys that are put, expire and are removed', async () => {
    const prefix = '/one/';
    await using changes = new Changes(etcd, prefix);
    await untilListed(etcd, prefix, changes, []);
    await etcd.ctl('put', `${prefix}a`, '{"address":"h:1"}');
    await untilListed(etcd, prefix, changes, ['a']);
    const lease = /lease (\w+) granted/.exec(await etcd.ctl('lease', 'grant', '10'))?.[1] ?? '';
    await etcd.ctl('put', `${prefix}b`, '{"address":"h:2"}', '--lease', lease);
    await untilListed(etcd, prefix, changes, ['a', 'b']);
    await untilListed(etcd, prefix, changes, ['a']);
    await etcd.ctl('del', `${prefix}a`);
    await untilListed(etcd, prefix, changes, []);
  });

  test('survives a restart, and what was compacted meanwhile', async () => {
    const prefix = '/two/';
    await using changes = new Changes(etcd, prefix);
    await changes.next();
    const [member] = etcd.members;
    await member?.kill();
    member?.start();
    for (let i = 0; i < 20; i++) await etcd.ctl('put', `${prefix}a`, `{"address":"h:${i + 1}"}`);
    const revision =
      /"Revision" : (\d+)/.exec(await etcd.ctl('get', `${prefix}a`, '-w', 'fields'))?.[1] ?? '';
    await etcd.ctl('compact', '--physical', revision);
    await changes.next();
    await untilListed(etcd, prefix, changes, ['a']);
    await etcd.ctl('put', `${prefix}b`, '{"address":"h:1"}');
    await untilListed(etcd, prefix, changes, ['a', 'b']);
  });

  test('is the same change for many keys until it is taken', async () => {
    const prefix = '/three/';
    await using changes = new Changes(etcd, prefix);
    await changes.next();
    for (let i = 0; i < 10; i++) await etcd.ctl('put', `${prefix}${i}`, '');
    // The first arrived before the others.
    await changes.next();
    const next = changes.next();
    await etcd.ctl('put', `${prefix}z`, '');
    await next;
  });
});

needs('etcd', 'etcdctl').describe('With three members', () => {
  let etcd: Etcd;
  let daemon: FakeDaemon;
  let client: BtfClient;

  beforeAll(async () => {
    etcd = await Etcd.start({ members: 3 });
    daemon = await FakeDaemon.start({ objects: [] });
    client = new BtfClient(daemon.address);
  });
  afterAll(async () => {
    await client.close();
    await daemon.stop();
    await etcd[Symbol.asyncDispose]();
  });

  test('a node stays registered and listed while one is dead and while one is stopped', async () => {
    const prefix = '/cluster/';
    const { registration, kinds } = registered(prefix);
    await using _ = registration;
    await using changes = new Changes(etcd, prefix);
    await untilListed(etcd, prefix, changes, ['web1']);
    const [first, second] = etcd.members;
    const source = etcdNodes({ hosts: etcd.hosts, prefix });
    await first?.kill();
    for (let i = 0; i < 10; i++) expect(await source.list()).toHaveLength(1);
    first?.start();
    await etcd.ctl('endpoint', 'health');
    await second?.pause();
    for (let i = 0; i < 3; i++) expect(await source.list()).toHaveLength(1);
    second?.resume();
    await etcd.ctl('endpoint', 'health');
    expect(kinds).not.toContain('waiting');
  });

  test('a node is registered again after most of them were dead for longer than its lease', async () => {
    const prefix = '/outage/';
    const { registration, kinds } = registered(prefix);
    await using _ = registration;
    await using changes = new Changes(etcd, prefix);
    await untilListed(etcd, prefix, changes, ['web1']);
    const [first, second] = etcd.members;
    await Promise.all([first?.kill(), second?.kill()]);
    const source = etcdNodes({ hosts: etcd.hosts, prefix });
    await expect(source.list()).rejects.toMatchObject({ code: status.UNAVAILABLE });
    // The registration notices the outage at its next renewal.
    while (!kinds.includes('retrying')) await setTimeout(20);
    first?.start();
    second?.start();
    await etcd.ctl('del', `${prefix}web1`);
    await untilListed(etcd, prefix, changes, ['web1']);
  });

  /** Registers web1, with a lease that outlasts the silence of a member on a busy machine. */
  function registered(prefix: string) {
    const kinds: string[] = [];
    const registration = registerNodeWith(
      {
        hosts: etcd.hosts,
        prefix,
        name: 'web1',
        address: 'h:1',
        daemon: client,
        onState: ({ kind }) => void kinds.push(kind),
      },
      { lease: 30_000, renew: 500, retry: 200, ask: 500, askLimit: 20_000, silence: 60_000 },
    );
    return { registration, kinds };
  }
});

/** Lists, watches and registers, and then closes everything. */
const PROGRAM = `
  import { BtfClient } from '@btfd/client';
  import { etcdNodes, registerNode } from '@btfd/fleet/etcd';
  const [hosts, address] = [[process.argv[1]], process.argv[2]];
  const client = new BtfClient(address);
  await new Promise((resolve) => {
    const onState = ({ kind }) => kind === 'registered' && resolve(registration.close());
    const registration = registerNode({ hosts, name: 'web1', address: 'h:1', daemon: client, onState });
  });
  const source = etcdNodes({ hosts });
  for await (const _ of source.changes({ signal: new AbortController().signal })) break;
  console.log((await source.list()).length);
  await client.close();
`;

needs('etcd', 'etcdctl').describe('When etcd does not respond any more', () => {
  let daemon: FakeDaemon;
  let client: BtfClient;

  beforeAll(async () => {
    daemon = await FakeDaemon.start({ objects: [] });
    client = new BtfClient(daemon.address);
  });
  afterAll(async () => {
    await client.close();
    await daemon.stop();
  });

  test.each(['kill', 'pause'] as const)(
    'closing a registration ends, and says that the key expires: %s',
    async (how) => {
      await using etcd = await Etcd.start();
      let onRegistered = (): void => {};
      const isRegistered = new Promise<void>((resolve) => (onRegistered = resolve));
      const states: RegistrationState[] = [];
      const onState = (state: RegistrationState): void => {
        states.push(state);
        if (state.kind === 'registered') onRegistered();
      };
      const registration = registerNode({
        hosts: etcd.hosts,
        name: 'a',
        address: 'h:1',
        daemon: client,
        onState,
      });
      await isRegistered;
      await etcd.members[0]?.[how]();
      await registration.close();
      await registration.ended;
      expect(states.at(-1)).toMatchObject({ kind: 'expiring', error: { code: status.UNAVAILABLE } });
    },
  );

  test('a process that has closed everything ends on its own, without warnings', async () => {
    await using etcd = await Etcd.start();
    const args = ['--input-type=module', '--eval', PROGRAM, etcd.hosts[0] ?? '', daemon.address];
    // Node resolves the names of packages from the folder.
    const cwd = fileURLToPath(new URL('../..', import.meta.url));
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd, timeout: 60_000 });
    expect([stdout, stderr]).toEqual(['0\n', '']);
  });
});
