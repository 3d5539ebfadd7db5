import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { TempDir } from '../testing/temp-dir.js';
import { FILE_TURNS } from './file-turns.js';
import { FileWatch } from './files.js';

describe('Watched files', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** Waits until a watch has looked at its files three times. */
  async function looks(): Promise<void> {
    const run = jest.spyOn(FILE_TURNS, 'run');
    const before = run.mock.calls.length;
    while (run.mock.calls.length < before + 3) await setTimeout(1);
    await FILE_TURNS.idle();
  }

  /** Returns how often a change calls back, after none without it. */
  async function callbacksFor(file: string, change: () => void): Promise<number> {
    const onChange = jest.fn();
    using watch = await FileWatch.of([file]);
    watch.start({ pollMs: 1, onChange, onHang: jest.fn() });
    await looks();
    expect(onChange).not.toHaveBeenCalled();
    change();
    await looks();
    return onChange.mock.calls.length;
  }

  test('call back once when Kubernetes replaces the link to a mounted folder', async () => {
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
    expect(await callbacksFor(file, turn)).toBe(1);
  });

  test.each<[string, (file: string, dir: TempDir) => void]>([
    ['rewritten', (_, dir) => void dir.write('file', 'other')],
    ['replaced by an equal file', (file, dir) => renameSync(dir.write('new', 'text'), file)],
    ['removed', (file) => rmSync(file)],
    ['given another mode', (file) => chmodSync(file, 0o600)],
    ['given another time', (file) => utimesSync(file, 1, 1)],
  ])('call back once when a file is %s', async (_, change) => {
    using dir = new TempDir();
    const file = dir.write('file', 'text');
    expect(await callbacksFor(file, () => change(file, dir))).toBe(1);
  });

  test('are reported once while they cannot be looked at', async () => {
    using dir = new TempDir();
    const file = dir.write('file', 'text');
    const [onChange, onHang] = [jest.fn(), jest.fn()];
    using watch = await FileWatch.of([file]);
    const run = jest.spyOn(FILE_TURNS, 'run').mockRejectedValue(new Error('hangs'));
    watch.start({ pollMs: 1, onChange, onHang });
    await looks();
    expect(onHang.mock.calls).toEqual([[new Error('hangs')]]);
    dir.write('file', 'other');
    run.mockRestore();
    await looks();
    expect(onChange).toHaveBeenCalledTimes(1);
  });
});
