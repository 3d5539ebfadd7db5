import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { TempDir } from '../testing/temp-dir.js';
import { FileWatch } from './file-watch.js';

const POLL_MS = 1_000;

describe('Files that are looked at', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** Says whether a change is told once, and nothing else. */
  function toldOf(file: string, change: () => void): number {
    const told = jest.fn();
    using _ = new FileWatch([file], POLL_MS, told);
    jest.advanceTimersByTime(3 * POLL_MS);
    expect(told).not.toHaveBeenCalled();
    change();
    jest.advanceTimersByTime(3 * POLL_MS);
    return told.mock.calls.length;
  }

  test('as Kubernetes mounts them are told to change when it turns its link', () => {
    using dir = new TempDir();
    const versions = ['..2026_01', '..2026_02'].map((name) => join(dir.path, name));
    for (const version of versions) mkdirSync(version);
    dir.write('..2026_01/tls.crt', 'same');
    dir.write('..2026_02/tls.crt', 'same');
    symlinkSync('..2026_01', join(dir.path, '..data'));
    const file = join(dir.path, 'tls.crt');
    symlinkSync('..data/tls.crt', file);
    const turn = (): void => {
      symlinkSync('..2026_02', join(dir.path, '..data_tmp'));
      renameSync(join(dir.path, '..data_tmp'), join(dir.path, '..data'));
      rmSync(join(dir.path, '..2026_01'), { recursive: true });
    };
    expect(toldOf(file, turn)).toBe(1);
  });

  test.each<[string, (file: string, dir: TempDir) => void]>([
    ['written again', (_, dir) => void dir.write('file', 'other')],
    ['replaced by one that is the same', (file, dir) => renameSync(dir.write('new', 'text'), file)],
    ['removed', (file) => rmSync(file)],
    ['given other rights', (file) => chmodSync(file, 0o600)],
    ['said to be of another time', (file) => utimesSync(file, 1, 1)],
  ])('are told to change when one is %s', (_, change) => {
    using dir = new TempDir();
    const file = dir.write('file', 'text');
    expect(toldOf(file, () => change(file, dir))).toBe(1);
  });
});
