import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { TempDir } from '../testing/temp-dir.js';
import { listenOnUnixSocket } from './unix-socket.js';

/** A server that listens, until it is disposed of. `meanwhile` is called before its socket is at the path. */
async function listen(path: string, group: number | null = null, meanwhile = () => {}) {
  const server = createServer((socket) => socket.destroy()).on('listening', meanwhile);
  const socket = await listenOnUnixSocket(server, path, group).catch((error: unknown) => {
    server.close();
    throw error;
  });
  return { server, socket, [Symbol.dispose]: () => void server.close() };
}

async function canConnect(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Leaves a socket behind, like a process that was killed. */
async function leaveStale(path: string): Promise<void> {
  const server: Server = createServer();
  const beside = `${path}.tmp`;
  server.listen(beside);
  await once(server, 'listening');
  // Node removes at close the name that it bound.
  renameSync(beside, path);
  server.close();
  await once(server, 'close');
}

const mode = (path: string): string => (lstatSync(path).mode & 0o777).toString(8);

describe('A unix socket', () => {
  test('lets its owner and group connect, in a folder that they may enter, with any umask', async () => {
    using dir = new TempDir();
    const path = join(dir.path, 'made', 'btfd.sock');
    const umask = process.umask(0);
    try {
      using listening = await listen(path);
      expect([mode(path), mode(join(dir.path, 'made'))]).toEqual(['660', '750']);
      expect(process.umask()).toBe(0);
      expect(readdirSync(join(dir.path, 'made'))).toEqual(['btfd.sock']);
      expect(await canConnect(path)).toBe(true);
      listening.socket.remove();
    } finally {
      process.umask(umask);
    }
  });

  test('does not change an existing folder', async () => {
    using dir = new TempDir();
    const folder = join(dir.path, 'there');
    mkdirSync(folder, { mode: 0o700 });
    using _ = await listen(join(folder, 'btfd.sock'), null);
    expect(mode(folder)).toBe('700');
  });

  test('may have the longest path of an address', async () => {
    using dir = new TempDir();
    const path = join(dir.path, 'p'.repeat(99 - dir.path.length - 1));
    using _ = await listen(path);
    expect(await canConnect(path)).toBe(true);
  });

  test('is replaced if nobody listens on it any more', async () => {
    using dir = new TempDir();
    const path = join(dir.path, 'btfd.sock');
    await leaveStale(path);
    expect([existsSync(path), await canConnect(path)]).toEqual([true, false]);
    using _ = await listen(path);
    expect(await canConnect(path)).toBe(true);
  });

  test('is not taken from a process that listens on it', async () => {
    using dir = new TempDir();
    const path = join(dir.path, 'btfd.sock');
    using _ = await listen(path);
    await expect(listen(path)).rejects.toThrow(`another process listens on ${path}`);
    expect([await canConnect(path), readdirSync(dir.path)]).toEqual([true, ['btfd.sock']]);
  });

  test.each<[string, (path: string) => Promise<void> | void]>([
    ['no socket', () => {}],
    ['a stale socket', leaveStale],
  ])('is not taken from a process that listens on it meanwhile, in place of %s', async (_, leave) => {
    using dir = new TempDir();
    using elsewhere = new TempDir();
    const path = join(dir.path, 'btfd.sock');
    const other = join(elsewhere.path, 'other.sock');
    await leave(path);
    using otherListening = await listen(other);
    const comeFirst = (): void => {
      rmSync(path, { force: true });
      linkSync(other, path);
    };
    await expect(listen(path, null, comeFirst)).rejects.toThrow(`another process listens on ${path}`);
    expect(otherListening.server.listening).toBe(true);
    expect(lstatSync(path).ino).toBe(lstatSync(other).ino);
    expect([await canConnect(path), readdirSync(dir.path)]).toEqual([true, ['btfd.sock']]);
  });

  test('replaces a stale socket that vanishes meanwhile', async () => {
    using dir = new TempDir();
    const path = join(dir.path, 'btfd.sock');
    await leaveStale(path);
    using _ = await listen(path, null, () => rmSync(path));
    expect([await canConnect(path), readdirSync(dir.path)]).toEqual([true, ['btfd.sock']]);
  });

  test('is not taken from a process that is too busy to accept', async () => {
    using dir = new TempDir();
    const path = join(dir.path, 'btfd.sock');
    const program = `require('net').createServer().listen({ path: ${JSON.stringify(path)}, backlog: 1 }, () => {
      process.stdout.write('listening');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    })`;
    const busy = spawn(process.execPath, ['--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const waiting: Socket[] = [];
    try {
      await once(busy.stdout, 'data');
      // More than the backlog holds: the next connect fails with EAGAIN.
      for (let i = 0; i < 3; i++) waiting.push(connect(path).on('error', () => {}));
      await expect(listen(path)).rejects.toThrow('another process listens');
    } finally {
      for (const socket of waiting) socket.destroy();
      busy.kill('SIGKILL');
      await once(busy, 'close');
    }
  });

  test.each<[string, (path: string) => void]>([
    ['a file', (path) => writeFileSync(path, 'precious')],
    ['a folder', (path) => mkdirSync(path)],
  ])('does not replace %s', async (_, make) => {
    using dir = new TempDir();
    const path = join(dir.path, 'btfd.sock');
    make(path);
    await expect(listen(path)).rejects.toThrow(`${path} exists and is not a socket`);
    if (lstatSync(path).isFile()) expect(readFileSync(path, 'utf8')).toBe('precious');
    expect(readdirSync(dir.path)).toEqual(['btfd.sock']);
  });

  test('is removed once, at the end', async () => {
    using dir = new TempDir();
    const path = join(dir.path, 'btfd.sock');
    using listening = await listen(path);
    listening.socket.remove();
    listening.socket.remove();
    expect(readdirSync(dir.path)).toEqual([]);
  });

  test('is not removed if it belongs to another process by then', async () => {
    using dir = new TempDir();
    const path = join(dir.path, 'btfd.sock');
    using first = await listen(path);
    renameSync(path, `${path}.old`);
    using _ = await listen(path);
    first.socket.remove();
    expect(await canConnect(path)).toBe(true);
  });
});

describe('A folder that others may write to', () => {
  const GROUP = 12_345;

  /** A folder in a folder, either of which has the mode. */
  function foldersOf(dir: TempDir, bits: number, which: 'own' | 'parent'): string {
    const parent = join(dir.path, 'parent');
    const folder = join(parent, 'folder');
    mkdirSync(folder, { recursive: true });
    const changed = which === 'own' ? folder : parent;
    if (process.geteuid?.() === 0) chownSync(changed, 0, GROUP);
    chmodSync(changed, bits);
    return folder;
  }

  test.each<[string, number, 'own' | 'parent', string]>([
    ['everybody', 0o757, 'own', 'is writable by every user'],
    ['everybody, around the folder', 0o757, 'parent', 'is writable by every user'],
    ['its group', 0o770, 'own', 'is writable by its group'],
    ['its group, around the folder', 0o770, 'parent', 'is writable by its group'],
  ])('is refused: %s', async (_, bits, which, why) => {
    using dir = new TempDir();
    const path = join(foldersOf(dir, bits, which), 'btfd.sock');
    await expect(listen(path)).rejects.toThrow(why);
    expect(existsSync(path)).toBe(false);
  });

  test.each<[string, number]>([
    ['nobody may replace what is another’s there, as in /tmp', 0o1777],
    ['others may only look', 0o755],
  ])('is accepted if %s', async (_, bits) => {
    using dir = new TempDir();
    const path = join(foldersOf(dir, bits, 'own'), 'btfd.sock');
    using listening = await listen(path);
    expect(listening.server.listening).toBe(true);
  });
});

describe('The folder of another user', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test('is refused, because that user could replace the socket', async () => {
    using dir = new TempDir();
    const folder = join(dir.path, 'other');
    mkdirSync(folder);
    // Root can give it away; anyone else can only seem to be someone else.
    if (process.geteuid?.() === 0) chownSync(folder, 12_345, 12_345);
    const { uid } = lstatSync(folder);
    jest.spyOn(process, 'geteuid').mockReturnValue(uid + 1);
    const server = createServer();
    await expect(listenOnUnixSocket(server, join(folder, 'btfd.sock'), null)).rejects.toThrow(`uid ${uid}`);
    expect(server.listening).toBe(false);
    jest.spyOn(process, 'geteuid').mockReturnValue(0);
    await listenOnUnixSocket(server, join(folder, 'btfd.sock'), null);
    server.close();
  });
});

describe('A group', () => {
  // Root may give a file to any group, everybody else to their own.
  const group = process.geteuid?.() === 0 ? 54_321 : (process.getegid?.() ?? 0);

  test('gets the socket and the folders created for it, but no existing folder', async () => {
    using dir = new TempDir();
    const { gid } = lstatSync(dir.path);
    const path = join(dir.path, 'a', 'b', 'btfd.sock');
    using listening = await listen(path, group);
    expect(listening.server.listening).toBe(true);
    const shown = [path, join(dir.path, 'a', 'b'), join(dir.path, 'a'), dir.path].map((each) => {
      const stat = lstatSync(each);
      return [stat.gid, (stat.mode & 0o777).toString(8)];
    });
    expect(shown).toEqual([
      [group, '660'],
      [group, '750'],
      [group, '750'],
      [gid, '700'],
    ]);
  });

  test('that cannot get the socket is refused, and nothing is left', async () => {
    using dir = new TempDir();
    const server = createServer();
    const listening = listenOnUnixSocket(server, join(dir.path, 'btfd.sock'), -2);
    await expect(listening).rejects.toThrow(/cannot change the group of .* to -2: /);
    server.close();
    await once(server, 'close');
    expect(readdirSync(dir.path)).toEqual([]);
  });
});
