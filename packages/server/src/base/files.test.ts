import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { TempDir } from '../testing/temp-dir.js';
import { FileWatch } from './files.js';

const POLL_MS = 1_000;

describe('Watched files', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** Returns how often a change calls back, after none without it. */
  function callbacksFor(file: string, change: () => void): number {
    const onChange = jest.fn();
    using _ = new FileWatch([file], POLL_MS, onChange);
    jest.advanceTimersByTime(3 * POLL_MS);
    expect(onChange).not.toHaveBeenCalled();
    change();
    jest.advanceTimersByTime(3 * POLL_MS);
    return onChange.mock.calls.length;
  }

  test('call back once when Kubernetes replaces the link to a mounted folder', () => {
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
    expect(callbacksFor(file, turn)).toBe(1);
  });

  test.each<[string, (file: string, dir: TempDir) => void]>([
    ['rewritten', (_, dir) => void dir.write('file', 'other')],
    ['replaced by an equal file', (file, dir) => renameSync(dir.write('new', 'text'), file)],
    ['removed', (file) => rmSync(file)],
    ['given another mode', (file) => chmodSync(file, 0o600)],
    ['given another time', (file) => utimesSync(file, 1, 1)],
  ])('call back once when a file is %s', (_, change) => {
    using dir = new TempDir();
    const file = dir.write('file', 'text');
    expect(callbacksFor(file, () => change(file, dir))).toBe(1);
  });
});
