import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { codeCacheFolder } from './cache-folder.js';

const UID = process.geteuid?.() ?? 0;

describe('codeCacheFolder', () => {
  let home: string;
  let folder: string;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'btfctl-cache-'));
    folder = join(home, '.cache', 'btfctl', 'compile-cache');
  });
  afterEach(() => rmSync(home, { recursive: true }));

  const folderOf = (env: NodeJS.ProcessEnv): string | null => codeCacheFolder(env, UID);

  test('creates a folder of mode 0700 in the cache folder of the user, and uses it again', () => {
    expect(folderOf({ HOME: home })).toBe(folder);
    for (const path of [folder, join(folder, '..'), join(home, '.cache')]) {
      expect(statSync(path).mode & 0o777).toBe(0o700);
    }
    expect(folderOf({ HOME: home })).toBe(folder);
  });

  test('follows XDG_CACHE_HOME if that is an absolute path', () => {
    const xdg = join(home, 'xdg');
    expect(folderOf({ HOME: home, XDG_CACHE_HOME: xdg })).toBe(join(xdg, 'btfctl', 'compile-cache'));
    expect(folderOf({ HOME: home, XDG_CACHE_HOME: 'xdg' })).toBe(folder);
  });

  test('is without the symbolic link that the cache folder of the user is', () => {
    mkdirSync(join(home, 'disk'), { mode: 0o700 });
    symlinkSync('disk', join(home, '.cache'));
    expect(folderOf({ HOME: home })).toBe(join(home, 'disk', 'btfctl', 'compile-cache'));
  });

  test('is null on a system without user ids', () => {
    expect(codeCacheFolder({ HOME: home }, undefined)).toBeNull();
    expect(existsSync(join(home, '.cache'))).toBe(false);
  });

  test.each([['/dev/null'], ['/proc/nothing'], ['/nonexistent/home']])(
    'is null if the home is %s, where no folder can be created',
    (missing) => {
      expect(folderOf({ HOME: missing })).toBeNull();
      expect(existsSync(missing) && missing !== '/dev/null').toBe(false);
    },
  );

  test('is null if a folder is of another user', () => {
    folderOf({ HOME: home });
    expect(codeCacheFolder({ HOME: home }, UID + 1)).toBeNull();
  });

  needs('root').test.each(['.', '.cache', '.cache/btfctl', '.cache/btfctl/compile-cache'])(
    'root uses no folder below %s of another user',
    (name) => {
      folderOf({ HOME: home });
      chownSync(join(home, name), 65_534, 65_534);
      expect(folderOf({ HOME: home })).toBeNull();
    },
  );

  needs('root').test('root creates nothing in the home of another user', () => {
    chownSync(home, 65_534, 65_534);
    expect(folderOf({ HOME: home })).toBeNull();
    expect(existsSync(join(home, '.cache'))).toBe(false);
  });

  test.each([
    ['.', 0o770],
    ['.', 0o777],
    ['.cache', 0o770],
    ['.cache/btfctl', 0o770],
    ['.cache/btfctl/compile-cache', 0o770],
    ['.cache/btfctl/compile-cache', 0o707],
    // Files in it are only as private as the folder.
    ['.cache/btfctl/compile-cache', 0o755],
  ])('is null if others can write below %s', (name, mode) => {
    folderOf({ HOME: home });
    chmodSync(join(home, name), mode);
    expect(folderOf({ HOME: home })).toBeNull();
  });

  test('may be below a sticky folder, where others cannot rename it', () => {
    chmodSync(home, 0o1777);
    expect(folderOf({ HOME: home })).toBe(folder);
  });

  test.each(['btfctl', 'btfctl/compile-cache'])('is null if %s is a symbolic link', (name) => {
    folderOf({ HOME: home });
    const path = join(home, '.cache', name);
    rmSync(path, { recursive: true });
    mkdirSync(join(home, 'elsewhere', 'compile-cache'), { recursive: true, mode: 0o700 });
    symlinkSync(join(home, 'elsewhere'), path);
    expect(folderOf({ HOME: home })).toBeNull();
  });
});
