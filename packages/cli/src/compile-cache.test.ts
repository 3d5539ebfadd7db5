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
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { needs } from 'test-tools';
import { useCompileCache } from './compile-cache.js';

const UID = process.geteuid?.() ?? 0;

describe('useCompileCache', () => {
  let home: string;
  let folder: string;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'btfctl-cache-'));
    folder = join(home, '.cache', 'btfctl', 'compile-cache');
  });
  afterEach(() => rmSync(home, { recursive: true }));

  /** Returns the folders that Node is given. */
  function enabled(
    env: NodeJS.ProcessEnv,
    { uid }: { readonly uid: number | undefined } = { uid: UID },
  ): unknown[][] {
    const enableCompileCache = jest.fn();
    useCompileCache({ enableCompileCache }, env, uid);
    return enableCompileCache.mock.calls;
  }

  test('creates a folder of mode 0700 in the cache folder of the user, and uses it again', () => {
    expect(enabled({ HOME: home })).toEqual([[folder]]);
    for (const path of [folder, join(folder, '..'), join(home, '.cache')]) {
      expect(statSync(path).mode & 0o777).toBe(0o700);
    }
    expect(enabled({ HOME: home })).toEqual([[folder]]);
  });

  test('follows XDG_CACHE_HOME if that is an absolute path', () => {
    expect(enabled({ HOME: home, XDG_CACHE_HOME: join(home, 'xdg') })).toEqual([
      [join(home, 'xdg', 'btfctl', 'compile-cache')],
    ]);
    expect(enabled({ HOME: home, XDG_CACHE_HOME: 'xdg' })).toEqual([[folder]]);
  });

  test('gives Node the path without the symbolic link that the cache folder of the user is', () => {
    mkdirSync(join(home, 'disk'), { mode: 0o700 });
    symlinkSync('disk', join(home, '.cache'));
    expect(enabled({ HOME: home })).toEqual([[join(home, 'disk', 'btfctl', 'compile-cache')]]);
  });

  test('does nothing in a Node without a compile cache, or on a system without user ids', () => {
    expect(() => useCompileCache({}, { HOME: home }, UID)).not.toThrow();
    expect(enabled({ HOME: home }, { uid: undefined })).toEqual([]);
    expect(existsSync(join(home, '.cache'))).toBe(false);
  });

  test.each([['/dev/null'], ['/proc/nothing'], ['/nonexistent/home']])(
    'does nothing if the home is %s, where no folder can be created',
    (missing) => {
      expect(enabled({ HOME: missing })).toEqual([]);
      expect(existsSync(missing) && missing !== '/dev/null').toBe(false);
    },
  );

  test('does nothing if a folder is of another user', () => {
    enabled({ HOME: home });
    expect(enabled({ HOME: home }, { uid: UID + 1 })).toEqual([]);
  });

  needs('root').test.each(['.', '.cache', '.cache/btfctl', '.cache/btfctl/compile-cache'])(
    'root uses no folder below %s of another user',
    (name) => {
      enabled({ HOME: home });
      chownSync(join(home, name), 65_534, 65_534);
      expect(enabled({ HOME: home })).toEqual([]);
    },
  );

  needs('root').test('root creates nothing in the home of another user', () => {
    chownSync(home, 65_534, 65_534);
    expect(enabled({ HOME: home })).toEqual([]);
    expect(existsSync(join(home, '.cache'))).toBe(false);
  });

  test.each([
    ['.', 0o770],
    ['.', 0o777],
    ['.cache', 0o770],
    ['.cache/btfctl', 0o770],
    ['.cache/btfctl/compile-cache', 0o770],
    ['.cache/btfctl/compile-cache', 0o707],
    // Node creates folders in it by the umask.
    ['.cache/btfctl/compile-cache', 0o755],
  ])('does nothing if others can write below %s', (name, mode) => {
    enabled({ HOME: home });
    chmodSync(join(home, name), mode);
    expect(enabled({ HOME: home })).toEqual([]);
  });

  test('uses a folder below a sticky one, where others cannot rename it', () => {
    chmodSync(home, 0o1777);
    expect(enabled({ HOME: home })).toEqual([[folder]]);
  });

  test.each(['btfctl', 'btfctl/compile-cache'])('does nothing if %s is a symbolic link', (name) => {
    enabled({ HOME: home });
    const path = join(home, '.cache', name);
    rmSync(path, { recursive: true });
    mkdirSync(join(home, 'elsewhere', 'compile-cache'), { recursive: true, mode: 0o700 });
    symlinkSync(join(home, 'elsewhere'), path);
    expect(enabled({ HOME: home })).toEqual([]);
  });
});
