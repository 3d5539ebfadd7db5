import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ErrorReason } from '@btfd/api';
import { reasonOf } from '../testing/service-error.js';
import { TempDir } from '../testing/temp-dir.js';
import { type BtfFile, BtfFiles } from './btf-files.js';

const MAX = 1000;

function listed(files: BtfFiles): BtfFile[] {
  const steps = files.list();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

describe('A folder of BTF files', () => {
  test('lists its files with their sizes, vmlinux first, then by name', () => {
    using dir = new TempDir();
    dir.write('xfs', 'xxx');
    dir.write('Btrfs', 'b');
    dir.write('vmlinux', 'vmlinux');
    dir.write('amdgpu', '');
    expect(listed(new BtfFiles(dir.path, MAX))).toMatchObject([
      { name: 'vmlinux', size: 7 },
      { name: 'Btrfs', size: 1 },
      { name: 'amdgpu', size: 0 },
      { name: 'xfs', size: 3 },
    ]);
  });

  test('lists the targets of links, and only regular files', () => {
    using dir = new TempDir();
    using elsewhere = new TempDir();
    symlinkSync(elsewhere.write('file', 'four'), join(dir.path, 'link'));
    symlinkSync('nowhere', join(dir.path, 'dangling'));
    symlinkSync('loop', join(dir.path, 'loop'));
    mkdirSync(join(dir.path, 'folder'));
    expect(listed(new BtfFiles(dir.path, MAX))).toMatchObject([{ name: 'link', size: 4 }]);
  });

  test('is empty if it does not exist', () => {
    const files = new BtfFiles('/nonexistent/folder', MAX);
    expect([listed(files), files.find('vmlinux')]).toEqual([[], null]);
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
  ])('has no file named %j: a name is not a path', (name) => {
    using outer = new TempDir();
    outer.write('secret', 'secret');
    const inner = join(outer.path, 'dir');
    mkdirSync(join(inner, 'folder'), { recursive: true });
    outer.write('dir/vmlinux', 'v');
    outer.write('dir/folder/inner', 'i');
    const files = new BtfFiles(inner, MAX);
    expect([files.find('vmlinux')?.name, files.find(name)]).toEqual(['vmlinux', null]);
  });

  test('returns the bytes of a file', () => {
    using dir = new TempDir();
    dir.write('xfs', Uint8Array.of(1, 2, 3));
    const files = new BtfFiles(dir.path, MAX);
    const file = files.find('xfs');
    expect(file === null ? null : [...files.read(file)]).toEqual([1, 2, 3]);
  });

  test('does not trust the stated size of a file', () => {
    using dir = new TempDir();
    // A file of procfs: its stated size is 0, and it has hundreds of bytes.
    symlinkSync('/proc/self/status', join(dir.path, 'status'));
    const small = new BtfFiles(dir.path, 20);
    expect(listed(small)).toMatchObject([{ name: 'status', size: 0 }]);
    expect(() => small.read({ name: 'status' })).toThrow('more than 20 bytes');
    const text = Buffer.from(new BtfFiles(dir.path, 1 << 20).read({ name: 'status' })).toString();
    expect(text).toMatch(/^Name:.*\n(?:.*\n)*.*nonvoluntary_ctxt_switches/);
  });

  test('does not wait for a FIFO that replaced a file', () => {
    using dir = new TempDir();
    execFileSync('mkfifo', [join(dir.path, 'fifo')]);
    expect(() => new BtfFiles(dir.path, 100).read({ name: 'fifo' })).toThrow('is not a regular file');
  });

  test.each<[string, (dir: TempDir) => void]>([
    [
      'is replaced by one of the same size',
      (dir) => renameSync(dir.write('.new', 'two'), join(dir.path, 'xfs')),
    ],
    ['is written again with another size', (dir) => dir.write('xfs', 'three')],
  ])('has another identity after it %s', (_, replace) => {
    using dir = new TempDir();
    dir.write('xfs', 'one');
    const files = new BtfFiles(dir.path, MAX);
    const before = files.find('xfs')?.identity;
    expect(files.find('xfs')?.identity).toBe(before);
    replace(dir);
    expect(files.find('xfs')?.identity).not.toBe(before);
  });

  test('refuses a file that is too large', async () => {
    using dir = new TempDir();
    dir.write('large', new Uint8Array(MAX + 1));
    dir.write('most', new Uint8Array(MAX));
    const files = new BtfFiles(dir.path, MAX);
    const read = (name: string) => () => files.read({ name });
    expect(read('most')().length).toBe(MAX);
    expect(await reasonOf(read('large'))).toBe(ErrorReason.BTF_UNDECODABLE);
  });

  test('reports a file that vanished meanwhile as not found', async () => {
    using dir = new TempDir();
    const path = dir.write('xfs', 'x');
    const files = new BtfFiles(dir.path, MAX);
    const file = files.find('xfs');
    unlinkSync(path);
    expect(await reasonOf(() => (file === null ? null : files.read(file)))).toBe(ErrorReason.NAME_NOT_FOUND);
  });
});
