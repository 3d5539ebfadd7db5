import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { afterAll, describe, expect, test } from '@jest/globals';

import { notify } from './index.js';

const RECEIVER = fileURLToPath(new URL('testing/datagrams.py', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'btfd-notify-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** Sends datagrams to an address, and returns those that another program received there. */
async function received(address: string, texts: readonly string[]): Promise<string[]> {
  const child = spawn('python3', [RECEIVER, address], { stdio: ['ignore', 'pipe', 'inherit'] });
  const got: string[] = [];
  try {
    for await (const line of createInterface(child.stdout)) {
      const text: string = JSON.parse(line);
      if (text === 'bound') for (const each of texts) notify(address, each);
      else got.push(text);
      if (got.length === texts.length) break;
    }
    return got;
  } finally {
    child.kill();
  }
}

describe('notify', () => {
  const texts = ['READY=1', 'READY=1\nSTATUS=grüß dich', 'x'.repeat(4_000)];

  test('sends one datagram per call to the socket at a path', async () => {
    expect(await received(join(dir, 'notify.sock'), texts)).toEqual(texts);
  });

  test('sends to the longest path that a socket can have', async () => {
    const path = join(dir, 'p'.repeat(107 - dir.length - 1));
    expect(Buffer.byteLength(path)).toBe(107);
    expect(await received(path, ['x'])).toEqual(['x']);
    expect(() => notify(`${path}p`, 'x')).toThrow('ENAMETOOLONG');
  });

  test('sends to a name in the abstract namespace', async () => {
    expect(await received(`@btfd-test-${process.pid}`, texts)).toEqual(texts);
  });

  test('throws the errno if a datagram cannot be sent', () => {
    const file = join(dir, 'file');
    writeFileSync(file, '');
    expect(() => notify(join(dir, 'none'), 'x')).toThrow(`sendto of "${dir}/none": ENOENT`);
    expect(() => notify(file, 'x')).toThrow('ECONNREFUSED');
    expect(() => notify('@btfd-test-none', 'x')).toThrow('ECONNREFUSED');
    expect(() => notify('', 'x')).toThrow(/ECONNREFUSED|EINVAL/);
  });

  test('throws EPROTOTYPE for a stream socket', async () => {
    const path = join(dir, 'stream.sock');
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(path, resolve);
    });
    expect(() => notify(path, 'x')).toThrow('EPROTOTYPE');
    server.close();
  });
});
