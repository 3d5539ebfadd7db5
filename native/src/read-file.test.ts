import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';

import { readFile, SystemCallError } from './index.js';

const VMLINUX = '/sys/kernel/btf/vmlinux';
/** A file of sysfs with bytes, which no kernel maps. */
const NOTES = '/sys/kernel/notes';

const dir = mkdtempSync(join(tmpdir(), 'btfd-read-file-'));
afterAll(() => rmSync(dir, { recursive: true }));

function withFile<T>(path: string, use: (fd: number) => T): T {
  const fd = openSync(path, 'r');
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** Returns what readFile reads into an array of a size. */
function read(path: string, size: number): Buffer {
  const bytes = new Uint8Array(size);
  const length = withFile(path, (fd) => readFile(fd, bytes));
  expect(bytes.subarray(length).every((byte) => byte === 0)).toBe(true);
  return Buffer.from(bytes.buffer, 0, length);
}

/** Returns how many bytes this process has read with read(2) and the like. */
function bytesRead(): number {
  return Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'latin1'))?.[1]);
}

/** Whether the kernel maps vmlinux, by its release. */
function mapsVmlinux(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 16);
}

describe('readFile', () => {
  test.each([0, 1, 4095, 100_000])(
    'reads a file of %i bytes, into more room, less room and as much',
    (size) => {
      const path = join(dir, 'file');
      const content = Buffer.alloc(size, 'content');
      writeFileSync(path, content);
      for (const room of [size + 1, size, Math.max(0, size - 1)]) {
        expect(read(path, room).equals(content.subarray(0, room))).toBe(true);
      }
    },
  );

  test('reads from the beginning, and leaves the position as it is', () => {
    const path = join(dir, 'file');
    writeFileSync(path, 'content');
    withFile(path, (fd) => {
      for (let round = 0; round < 2; round++) {
        const bytes = new Uint8Array(8);
        expect(readFile(fd, bytes)).toBe(7);
        expect(Buffer.from(bytes).toString()).toBe('content\0');
      }
    });
  });

  test('reads into shared memory', () => {
    const path = join(dir, 'file');
    writeFileSync(path, 'content');
    const bytes = new Uint8Array(new SharedArrayBuffer(9)).subarray(2);
    expect(withFile(path, (fd) => readFile(fd, bytes))).toBe(7);
    expect(Buffer.from(bytes).toString()).toBe('content');
  });

  test.each([
    ['a closed file descriptor', () => readFile(0x7fff_ffff, new Uint8Array(1)), 'EBADF'],
    ['a folder', () => withFile(dir, (fd) => readFile(fd, new Uint8Array(1))), 'EISDIR'],
  ])('throws for %s', (_, act, code) => {
    expect(act).toThrow(SystemCallError);
    expect(act).toThrow(code);
  });

  needs('vmlinux').test('reads vmlinux from sysfs, and with a mapping since Linux 6.16', () => {
    const expected = readFileSync(VMLINUX);
    const before = bytesRead();
    const content = read(VMLINUX, expected.length + 1);
    const bytes = bytesRead() - before;
    expect(content.equals(expected)).toBe(true);
    if (mapsVmlinux()) expect(bytes).toBeLessThan(expected.length / 10);
    for (const room of [1, 4096, 4097, expected.length - 1]) {
      expect(read(VMLINUX, room).equals(expected.subarray(0, room))).toBe(true);
    }
    // No mapping is left.
    expect(readFileSync('/proc/self/maps', 'latin1')).not.toContain(VMLINUX);
  });

  needs('vmlinux').test('reads a file of sysfs that the kernel does not map', () => {
    const expected = readFileSync(NOTES);
    expect(expected.length).toBeGreaterThan(0);
    expect(read(NOTES, 65_536).equals(expected)).toBe(true);
  });
});
