import { expect, test } from '@jest/globals';
import { BtfClient } from '@btfd/client';
import { FakeDaemon } from '@btfd/client/testing';
import type { EtcdTls } from './etcd-options.js';
import { etcdNodes } from './etcd-nodes.js';
import { registerNodeWith } from './register-node.js';

/** Nothing listens there: what matters is that another attempt follows. */
const HOSTS = ['https://127.0.0.1:1'];
const TLS: EtcdTls = { ca: '' };
const TIMES = { lease: 5_000, renew: 100, retry: 50, ask: 50, askLimit: 20_000, silence: 120_000 };

/** Reading fails some times, as while the files are replaced. */
function failing(times: readonly number[]) {
  let calls = 0;
  let onAgain = (): void => {};
  const again = new Promise<void>((resolve) => (onAgain = resolve));
  const tls = async (): Promise<EtcdTls> => {
    calls += 1;
    if (times.includes(calls)) throw new Error('half of the file is there');
    if (calls > Math.max(...times)) onAgain();
    return TLS;
  };
  return { tls, again };
}

test('A watch continues after the certificates could not be read', async () => {
  const { tls, again } = failing([1]);
  const leaving = new AbortController();
  const changes = etcdNodes({ hosts: HOSTS, tls }).changes?.({ signal: leaving.signal });
  const next = changes?.[Symbol.asyncIterator]().next();
  await again;
  leaving.abort();
  expect(await next).toEqual({ done: true, value: undefined });
});

test('A registration continues after the certificates could not be read', async () => {
  const daemon = await FakeDaemon.start({ objects: [] });
  await using client = new BtfClient(daemon.address);
  const { tls, again } = failing([2, 3]);
  const node = { hosts: HOSTS, tls, name: 'a', address: 'h:1', daemon: client };
  await using registration = registerNodeWith(node, TIMES);
  await Promise.race([again, registration.ended]);
  await registration.close();
  await expect(registration.ended).resolves.toBeUndefined();
  await daemon.stop();
});
