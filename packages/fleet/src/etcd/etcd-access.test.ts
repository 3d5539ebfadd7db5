import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Etcd } from 'test-tools/etcd';
import { BtfClient, status } from '@btfd/client';
import { FakeDaemon } from '@btfd/client/testing';
import type { EtcdOptions } from './etcd-options.js';
import { etcdNodes } from './etcd-nodes.js';
import { registerNode } from './register-node.js';

/** Returns the arguments of etcdctl in the document. */
function documentedCommands(): string[] {
  const document = readFileSync(new URL('../../../../docs/fleet.md', import.meta.url), 'utf8');
  return [...document.matchAll(/^etcdctl (.+)$/gm)].map(([, command = '']) => command);
}

needs('etcd', 'etcdctl', 'openssl').describe('With the access rules of docs/fleet.md, etcd', () => {
  let etcd: Etcd;
  let daemon: FakeDaemon;
  let client: BtfClient;

  beforeAll(async () => {
    etcd = await Etcd.start({ tls: true });
    await etcd.ctl('user', 'add', 'someone:secret');
    for (const command of documentedCommands()) {
      if (command === 'auth enable') await etcd.ctl('user', 'grant-role', 'someone', 'btfd-asker');
      await etcd.ctl(...command.split(' '));
    }
    daemon = await FakeDaemon.start({ objects: [] });
    client = new BtfClient(daemon.address);
  });
  afterAll(async () => {
    await client.close();
    await daemon.stop();
    await etcd[Symbol.asyncDispose]();
  });

  /** Returns the options of the user of a client certificate. */
  function as(name: string): EtcdOptions {
    return { hosts: etcd.hosts, tls: { ca: etcd.ca, ...pairOf(name) } };
  }

  function pairOf(name: string) {
    const { cert, key } = etcd.issueClient(name);
    return { cert, key };
  }

  function register(name: string, options: EtcdOptions, onRegistered = (): void => {}) {
    const onState = ({ kind }: { readonly kind: string }): void =>
      kind === 'registered' ? onRegistered() : undefined;
    return registerNode({ ...options, name, address: 'h:1', daemon: client, onState });
  }

  test('lets a node register itself, and askers list it', async () => {
    let onRegistered = (): void => {};
    const registered = new Promise<void>((resolve) => (onRegistered = resolve));
    await using registration = register('web1', as('web1'), onRegistered);
    await Promise.race([registered, registration.ended]);
    expect(await etcdNodes(as('asker')).list()).toEqual([{ name: 'web1', address: 'h:1', labels: {} }]);
  });

  test.each([
    ['a node register another one', 'web2', 'web1'],
    ['an asker register a node', 'web1', 'asker'],
  ])('does not let %s', async (_, name, user) => {
    await expect(register(name, as(user)).ended).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
      rawMessage: expect.stringContaining('grant a role of the user of the client certificate the keys with'),
    });
  });

  test('does not let a node list the others, nor strangers', async () => {
    for (const user of ['web1', 'stranger']) {
      await expect(etcdNodes(as(user)).list()).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
    }
  });

  test('knows a user by password', async () => {
    const options = { ...as('stranger'), user: { name: 'someone', password: 'secret' } };
    expect(await etcdNodes(options).list()).toEqual([]);
    const wrong = etcdNodes({ ...options, user: { name: 'someone', password: 'guess' } });
    await expect(wrong.list()).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
      rawMessage: expect.stringContaining('invalid user ID or password'),
    });
  });

  test('is refused if its certificate is from another authority, and refuses clients without one', async () => {
    await using other = await Etcd.start({ tls: true });
    const { hosts, tls } = as('asker');
    for (const options of [{ hosts: other.hosts, tls }, { hosts, tls: { ca: etcd.ca } }, { hosts }]) {
      await expect(etcdNodes(options).list()).rejects.toMatchObject({ code: status.UNAVAILABLE });
    }
  });

  test('is watched with the same rights', async () => {
    const leaving = new AbortController();
    const changes = etcdNodes(as('asker')).changes?.({ signal: leaving.signal })[Symbol.asyncIterator]();
    // It watches now.
    await changes?.next();
    const change = changes?.next();
    await etcd.ctl('put', '/btfd/nodes/web9', '');
    expect(await change).toEqual({ done: false, value: undefined });
    leaving.abort();
    expect(await changes?.next()).toEqual({ done: true, value: undefined });
    await etcd.ctl('del', '/btfd/nodes/web9');
  });

  test('reads certificates again for each connection if they come from a function', async () => {
    let calls = 0;
    const { hosts, tls } = as('asker');
    const source = etcdNodes({ hosts, tls: () => ((calls += 1), tls as { ca: Buffer }) });
    await source.list();
    await source.list();
    expect(calls).toBe(2);
  });
});
