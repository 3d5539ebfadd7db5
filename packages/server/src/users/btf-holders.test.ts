import { rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { FakeProc } from '../testing/fake-proc.js';
import { btfHolders } from './btf-holders.js';

/** Returns the found BTF ids with pid and command, and the number of steps. */
function holdersIn(path: string): { holders: [id: number, pid: number, command: string][]; steps: number } {
  const holders: [number, number, string][] = [];
  const steps = [...btfHolders(path, (id, { pid, command }) => holders.push([id, pid, command]))].length;
  return { holders: holders.toSorted(([a], [b]) => a - b), steps };
}

describe('Processes that hold BTF', () => {
  test('are found with their command, once for each object', () => {
    using proc = new FakeProc();
    proc.add(1, 'init', '/dev/null', 'pipe:[7]');
    proc.add(20, 'a (b) c', '/dev/null', 5, 7, 'anon_inode:bpf-map', 5);
    proc.add(300, '', 6);
    expect(holdersIn(proc.path).holders).toEqual([
      [5, 20, 'a (b) c'],
      [6, 300, ''],
      [7, 20, 'a (b) c'],
    ]);
  });

  test.each<[string, (process: string) => void]>([
    ['that has ended', (process) => rmSync(process, { recursive: true })],
    [
      'that ends before its file descriptors are read',
      (process) => rmSync(join(process, 'fd'), { recursive: true }),
    ],
    ['that ends before its command is read', (process) => unlinkSync(join(process, 'comm'))],
    ['that closed its file descriptor meanwhile', (process) => unlinkSync(join(process, 'fdinfo/0'))],
    [
      'whose file descriptor was reused meanwhile',
      (process) => writeFileSync(join(process, 'fdinfo/0'), 'pos:\t0\nmap_id:\t9\n'),
    ],
    [
      'whose object left the kernel’s list',
      (process) => writeFileSync(join(process, 'fdinfo/0'), 'pos:\t0\nbtf_id:\t0\n'),
    ],
  ])('do not include one %s, and the others are found', (_, change) => {
    using proc = new FakeProc();
    proc.add(20, 'before', 5);
    const process = proc.add(21, 'between', 5);
    proc.add(22, 'after', 5);
    change(process);
    const pids = holdersIn(proc.path).holders.map(([, pid]) => pid);
    expect(new Set(pids)).toEqual(new Set([20, 22]));
  });

  test('are found among other files in the folder', () => {
    using proc = new FakeProc();
    writeFileSync(join(proc.path, 'version'), 'Linux');
    proc.add(20, 'holder', 5);
    expect(holdersIn(proc.path).holders).toEqual([[5, 20, 'holder']]);
  });

  test('are searched in steps of one file descriptor', () => {
    using proc = new FakeProc();
    proc.add(20, 'many', ...Array.from({ length: 1000 }, () => 5));
    expect(holdersIn(proc.path).steps).toBe(1001);
  });

  test.each<[string, (proc: FakeProc) => string, string]>([
    ['there is no procfs', (proc) => join(proc.path, 'nowhere'), 'ENOENT'],
    [
      'it is not procfs',
      (proc) => {
        writeFileSync(join(proc.path, '20'), 'a file');
        return proc.path;
      },
      'ENOTDIR',
    ],
  ])('cannot be found if %s', (_, make, code) => {
    using proc = new FakeProc();
    expect(() => holdersIn(make(proc))).toThrow(expect.objectContaining({ code }));
  });
});
