import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ErrorReason } from '@btfd/api';
import { needs } from 'test-tools';
import { FileTurns } from '../base/file-turns.js';
import { withResolvers } from '../testing/grpc-harness.js';
import { ManualClock } from '../testing/manual-clock.js';
import { reasonOf } from '../testing/service-error.js';
import { TempDir } from '../testing/temp-dir.js';
import { BtfFiles } from './btf-files.js';

const MAX = 1000;

describe('A folder of BTF files', () => {
  test('lists its files with their sizes, vmlinux first, then by name', async () => {
    using dir = new TempDir();
    dir.write('xfs', 'xxx');
    dir.write('Btrfs', 'b');
    dir.write('vmlinux', 'vmlinux');
    dir.write('amdgpu', '');
    expect(await new BtfFiles(dir.path, MAX).list()).toMatchObject([
      { name: 'vmlinux', size: 7 },
      { name: 'Btrfs', size: 1 },
      { name: 'amdgpu', size: 0 },
      { name: 'xfs', size: 3 },
    ]);
  });

  test('lists the targets of links, and only regular files', async () => {
    using dir = new TempDir();
    using elsewhere = new TempDir();
    symlinkSync(elsewhere.write('file', 'four'), join(dir.path, 'link'));
    symlinkSync('nowhere', join(dir.path, 'dangling'));
    symlinkSync('loop', join(dir.path, 'loop'));
    mkdirSync(join(dir.path, 'folder'));
    expect(await new BtfFiles(dir.path, MAX).list()).toMatchObject([{ name: 'link', size: 4 }]);
  });

  test('is empty if it does not exist', async () => {
    const files = new BtfFiles('/nonexistent/folder', MAX);
    expect([await files.list(), await files.find('vmlinux')]).toEqual([[], null]);
    expect([files.namesNow(), files.findNow('vmlinux')]).toEqual([new Set(), null]);
  });

  test.each([
    '../secret',
    '.',
    '..',
    '',
    '/etc/passwd',
    'folder/inner',
    './vmlinux',
    'vmlinux\0',
    'VMLINUX',
    'vmlinux/',
  ])('has no file named %j: a name is not a path', async (name) => {
    using outer = new TempDir();
    outer.write('secret', 'secret');
    const inner = join(outer.path, 'dir');
    mkdirSync(join(inner, 'folder'), { recursive: true });
    outer.write('dir/vmlinux', 'v');
    outer.write('dir/folder/inner', 'i');
    const files = new BtfFiles(inner, MAX);
    expect([files.findNow('vmlinux')?.name, files.findNow(name)]).toEqual(['vmlinux', null]);
    expect([(await files.find('vmlinux'))?.name, await files.find(name)]).toEqual(['vmlinux', null]);
  });

  test('returns the bytes of a file', async () => {
    using dir = new TempDir();
    dir.write('xfs', Uint8Array.of(1, 2, 3));
    const files = new BtfFiles(dir.path, MAX);
    const file = await files.find('xfs');
    expect(file === null ? null : [...(await files.read(file))]).toEqual([1, 2, 3]);
  });

  needs('vmlinux').test('returns the bytes of a file of sysfs in shared memory', async () => {
    const bytes = await new BtfFiles('/sys/kernel/btf', 1 << 26).read({ name: 'vmlinux' });
    expect(bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(Buffer.compare(bytes, readFileSync('/sys/kernel/btf/vmlinux'))).toBe(0);
  });

  test('does not trust the stated size of a file', async () => {
    using dir = new TempDir();
    // A file of procfs: its stated size is 0, and it has hundreds of bytes.
    symlinkSync('/proc/self/status', join(dir.path, 'status'));
    const small = new BtfFiles(dir.path, 20);
    expect(await small.list()).toMatchObject([{ name: 'status', size: 0 }]);
    await expect(small.read({ name: 'status' })).rejects.toThrow('more than 20 bytes');
    const bytes = await new BtfFiles(dir.path, 1 << 20).read({ name: 'status' });
    const text = Buffer.from(bytes).toString();
    expect(text).toMatch(/^Name:.*\n(?:.*\n)*.*nonvoluntary_ctxt_switches/);
  });

  test('does not wait for a FIFO, and does not list it', async () => {
    using dir = new TempDir();
    execFileSync('mkfifo', [join(dir.path, 'fifo')]);
    const files = new BtfFiles(dir.path, 100);
    // It may replace a file after that was found.
    await expect(files.read({ name: 'fifo' })).rejects.toThrow('"fifo" in');
    await expect(files.read({ name: 'fifo' })).rejects.toThrow('is not a regular file');
    expect([await files.list(), await files.find('fifo')]).toEqual([[], null]);
  });

  test.each<[string, (dir: TempDir) => void]>([
    [
      'is replaced by one of the same size',
      (dir) => renameSync(dir.write('.new', 'two'), join(dir.path, 'xfs')),
    ],
    ['is written again with another size', (dir) => dir.write('xfs', 'three')],
  ])('has another identity after it %s', async (_, replace) => {
    using dir = new TempDir();
    dir.write('xfs', 'one');
    const files = new BtfFiles(dir.path, MAX);
    const identity = async () => (await files.find('xfs'))?.identity;
    const before = await identity();
    expect(await identity()).toBe(before);
    expect(files.findNow('xfs')?.identity).toBe(before);
    replace(dir);
    expect(await identity()).not.toBe(before);
  });

  test('refuses a file that is too large', async () => {
    using dir = new TempDir();
    dir.write('large', new Uint8Array(MAX + 1));
    dir.write('most', new Uint8Array(MAX));
    const files = new BtfFiles(dir.path, MAX);
    const read = (name: string) => async () => files.read({ name });
    expect((await read('most')()).length).toBe(MAX);
    expect(await reasonOf(read('large'))).toBe(ErrorReason.BTF_UNDECODABLE);
  });

  test('reports a file that vanished meanwhile as not found', async () => {
    using dir = new TempDir();
    const path = dir.write('xfs', 'x');
    const files = new BtfFiles(dir.path, MAX);
    const file = await files.find('xfs');
    unlinkSync(path);
    expect(await reasonOf(async () => (file === null ? null : files.read(file)))).toBe(
      ErrorReason.NAME_NOT_FOUND,
    );
  });

  test('lists more files than one turn does', async () => {
    using dir = new TempDir();
    const names = Array.from({ length: 600 }, (_, index) => `mod_${1_000 + index}`);
    for (const name of names) dir.write(name, name);
    const files = new BtfFiles(dir.path, MAX);
    expect((await files.list()).map(({ name }) => name)).toEqual(names);
  });

  test('uses its file system once at a time, and fails if that hangs', async () => {
    using dir = new TempDir();
    dir.write('xfs', 'x');
    const clock = new ManualClock();
    const turns = new FileTurns(10_000, clock);
    const { promise, resolve } = withResolvers();
    const hanging = turns.run('reading /hung', async () => promise);
    const files = new BtfFiles(dir.path, MAX, turns);
    const uses = [files.list(), files.find('xfs'), files.read({ name: 'xfs' })];
    clock.advance(10_000);
    const [listing = null, ...others] = await Promise.all(uses.map(async (use) => use.catch((e) => e)));
    const hint = 'cannot be read: reading /hung has not ended after 10s: does its file system hang?';
    const reason = ErrorReason.BTF_UNDECODABLE;
    expect(listing).toMatchObject({ reason, message: `${dir.path} ${hint}` });
    for (const error of others) {
      expect(error).toMatchObject({ reason, message: `"xfs" in ${dir.path} ${hint}` });
    }
    await expect(hanging).rejects.toThrow('does its file system hang?');
    resolve();
    await new Promise(setImmediate);
    expect(await files.list()).toMatchObject([{ name: 'xfs' }]);
  });
});
