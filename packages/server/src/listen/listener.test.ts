import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { join } from 'node:path';
import { statSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { TempDir } from '../testing/temp-dir.js';
import { Listener } from './listener.js';

/** Connects as soon as something answers, and answers when it did. */
async function connected(path: string): Promise<void> {
  for (;;) {
    const socket = connect(path);
    const works = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (works) return;
    await setTimeout(1);
  }
}

test('A client that connects before the start is over came to the unix socket all the same', async () => {
  using dir = new TempDir();
  const path = join(dir.path, 'btfd.sock');
  const groups: (number | null)[] = [];
  let isOpen = false;
  const opening = Listener.open(
    { kind: 'unix', path },
    { socketGroup: null, maxConnections: 8, onConnection: (_, gid) => groups.push(gid) },
  ).finally(() => {
    isOpen = true;
  });
  await connected(path);
  const wasOpen = isOpen;
  const { listener } = await opening;
  const { gid } = statSync(path);
  listener.stopAccepting();
  expect([wasOpen, groups]).toEqual([false, [gid]]);
});
