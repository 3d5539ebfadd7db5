import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  truncateSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { errorMessage } from '../error/error-code.js';
import { TempDir } from '../testing/temp-dir.js';
import { readTrustedFile } from './trusted-file.js';

const OTHER = 12_345;

/** Reads a file, and returns its text or the error. */
async function outcome(path: string, secret = false): Promise<string> {
  try {
    return (await readTrustedFile(path, { secret })).toString();
  } catch (error) {
    return errorMessage(error);
  }
}

/** Folders `a/b` with a file. */
function setUp() {
  const dir = new TempDir();
  const folders = ['a', 'a/b'].map((name) => join(dir.path, name));
  for (const folder of folders) mkdirSync(folder, { mode: 0o755 });
  const file = dir.write('a/b/file', 'text');
  chmodSync(file, 0o644);
  return {
    dir,
    file,
    a: join(dir.path, 'a'),
    b: join(dir.path, 'a/b'),
    [Symbol.dispose]: () => dir[Symbol.dispose](),
  };
}

describe('A file that the operator names', () => {
  test('is not opened if it is a pipe, with or without a writer', async () => {
    using dir = new TempDir();
    const pipe = join(dir.path, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(await outcome(pipe)).toBe(`${pipe} is a pipe, not a regular file`);
    const both = openSync(pipe, 'r+');
    expect(await outcome(pipe)).toBe(`${pipe} is a pipe, not a regular file`);
    closeSync(both);
  });

  test.each([
    ['/dev/zero', 'a device'],
    ['/dev/tty', 'a device'],
    ['/etc', 'a folder'],
  ])('is refused if it is not a file: %s', async (path, kind) => {
    expect(await outcome(path)).toBe(`${path} is ${kind}, not a regular file`);
  });

  test('may be /dev/null, which is empty', async () => {
    expect(await outcome('/dev/null')).toBe('');
  });

  test('has at most 1 MiB', async () => {
    using dir = new TempDir();
    const file = dir.write('file', 'x'.repeat(1 << 20));
    expect((await outcome(file)).length).toBe(1 << 20);
    truncateSync(file, 2 ** 30);
    expect(await outcome(file)).toBe(`${file} has more than 1048576 bytes`);
  });

  test('has at most 1 MiB even if it states no size', async () => {
    expect(await outcome('/proc/kallsyms')).toBe('/proc/kallsyms has more than 1048576 bytes');
    expect(await outcome('/proc/self/comm')).toContain('\n');
  });

  test('must exist, and not lie below a file', async () => {
    using dir = new TempDir();
    const file = dir.write('file', '');
    expect(await outcome(join(dir.path, 'none'))).toContain('ENOENT');
    expect(await outcome(`${file}/none`)).toContain('ENOTDIR');
    symlinkSync('loop', join(dir.path, 'loop'));
    expect(await outcome(join(dir.path, 'loop'))).toContain('ELOOP');
  });
});

needs('root').describe('A file is refused, with the command that mends it,', () => {
  test.each([
    ['0666', 'every user', 'chmod go-w'],
    ['0646', 'every user', 'chmod o-w'],
    ['0664', `its group (gid ${OTHER})`, 'chmod g-w'],
  ])('if others can write to it: mode %s', async (mode, who, command) => {
    using made = setUp();
    chownSync(made.file, 0, OTHER);
    chmodSync(made.file, mode);
    const why = `the file ${made.file} is writable by ${who}, with mode ${mode}`;
    expect(await outcome(made.file)).toBe(`${why}: ${command} ${made.file}`);
    execFileSync('sh', ['-c', `${command} ${made.file}`]);
    expect(await outcome(made.file)).toBe('text');
  });

  test.each([
    ['a', '0777', 'every user', 'chmod go-w'],
    ['a/b', '0775', `its group (gid ${OTHER})`, 'chmod g-w'],
  ])('if others can write to a folder above it: %s %s', async (name, mode, who, command) => {
    using made = setUp();
    const folder = join(made.dir.path, name);
    chownSync(folder, 0, OTHER);
    chmodSync(folder, mode);
    const why = `the folder ${folder} is writable by ${who}, with mode ${mode}`;
    expect(await outcome(made.file)).toBe(`${why}: ${command} ${folder}`);
    chmodSync(folder, `1${mode.slice(1)}`);
    expect(await outcome(made.file)).toBe('text');
  });

  test.each([
    ['the file', 'a/b/file'],
    ['the folder', 'a/b'],
    ['the folder', 'a'],
  ])('if another user owns %s %s', async (what, name) => {
    using made = setUp();
    const path = join(made.dir.path, name);
    chownSync(path, OTHER, 0);
    expect(await outcome(made.file)).toBe(
      `${what} ${path} belongs to uid ${OTHER}, not root: chown root ${path}`,
    );
    const options = { own: OTHER };
    expect((await readTrustedFile(made.file, options)).toString()).toBe('text');
  });

  test('if another user owns a link to it, or to a folder above it', async () => {
    using made = setUp();
    const [first, second] = [join(made.a, 'first'), join(made.dir.path, 'a link')];
    symlinkSync('a', second);
    symlinkSync('../a link/b/file', first);
    expect(await outcome(first)).toBe('text');
    lchownSync(second, OTHER, 0);
    const why = `the link ${second} belongs to uid ${OTHER}, not root`;
    expect(await outcome(first)).toBe(`${why}: chown --no-dereference root '${second}'`);
    lchownSync(second, 0, 0);
    lchownSync(first, OTHER, 0);
    expect(await outcome(first)).toContain(`the link ${first} belongs to uid ${OTHER}`);
  });

  test('if others can write to the folder of a link, or to that of its target', async () => {
    using made = setUp();
    const link = join(made.b, 'link');
    const target = made.dir.write('target', 'text');
    symlinkSync(target, link);
    chmodSync(made.b, 0o777);
    expect(await outcome(link)).toContain(`the folder ${made.b} is writable`);
    chmodSync(made.b, 0o755);
    chmodSync(made.dir.path, 0o777);
    expect(await outcome(link)).toContain(`the folder ${made.dir.path} is writable`);
    chmodSync(made.dir.path, 0o700);
    expect(await outcome(link)).toBe('text');
  });

  test('if everybody can read it although it is secret', async () => {
    using made = setUp();
    expect(await outcome(made.file, true)).toBe(
      `the file ${made.file} is readable by every user, with mode 0644: chmod o-r ${made.file}`,
    );
    chmodSync(made.file, 0o640);
    expect(await outcome(made.file, true)).toBe('text');
  });

  test('if it is another user’s file under a second name', async () => {
    using made = setUp();
    const theirs = made.dir.write('theirs', 'text');
    chownSync(theirs, OTHER, OTHER);
    const link = join(made.b, 'link');
    linkSync(theirs, link);
    expect(await outcome(link)).toContain(`the file ${link} belongs to uid ${OTHER}`);
  });
});

needs('root').describe('A file is accepted', () => {
  test('from a secret that Kubernetes mounts with an fsGroup', async () => {
    using dir = new TempDir();
    // As in a pod: a tmpfs of mode 3777, links over `..data`, and files that the group may read.
    const volume = join(dir.path, 'tls');
    const version = join(volume, '..2026_01_02_03_04_05.678');
    mkdirSync(version, { recursive: true });
    dir.write('tls/..2026_01_02_03_04_05.678/tls.key', 'text');
    chmodSync(join(version, 'tls.key'), 0o440);
    symlinkSync('..2026_01_02_03_04_05.678', join(volume, '..data'));
    symlinkSync('..data/tls.key', join(volume, 'tls.key'));
    for (const path of [volume, version, join(version, 'tls.key')]) chownSync(path, 0, OTHER);
    chmodSync(version, 0o2755);
    chmodSync(volume, 0o3777);
    expect(await outcome(join(volume, 'tls.key'), true)).toBe('text');
  });

  test('from credentials of systemd, which only the user of the unit can read', async () => {
    using dir = new TempDir();
    const credentials = join(dir.path, 'btfd.service');
    mkdirSync(credentials);
    const file = dir.write('btfd.service/tls.key', 'text');
    // As systemd leaves them: of root, with an access control list for the user, whose mask is shown as the group's mode.
    chmodSync(file, 0o440);
    chmodSync(credentials, 0o550);
    expect(await outcome(file, true)).toBe('text');
    // As systemd leaves them where there are no such lists.
    for (const path of [credentials, file]) chownSync(path, OTHER, 0);
    expect((await readTrustedFile(file, { secret: true, own: OTHER })).toString()).toBe('text');
  });

  test('from a folder of mode 0777 only if it is mounted read-only, as Kubernetes mounts a ConfigMap', async () => {
    using dir = new TempDir();
    const volume = join(dir.path, 'a b');
    mkdirSync(volume);
    dir.write('a b/file', 'text');
    chmodSync(volume, 0o777);
    const file = join(volume, 'file');
    execFileSync('mount', ['--bind', volume, volume]);
    try {
      expect(await outcome(file)).toContain(`the folder ${volume} is writable by every user`);
      execFileSync('mount', ['-o', 'remount,bind,ro', volume]);
      expect(await outcome(file)).toBe('text');
      chownSync(dir.path, OTHER, 0);
      expect(await outcome(file)).toContain(`the folder ${dir.path} belongs to uid ${OTHER}`);
    } finally {
      execFileSync('umount', [volume]);
    }
  });

  test('from a folder that root’s group may write to', async () => {
    using made = setUp();
    chmodSync(made.b, 0o775);
    chmodSync(made.file, 0o664);
    expect(await outcome(made.file)).toBe('text');
  });

  test('by a relative path', async () => {
    using made = setUp();
    const path = relative(process.cwd(), made.file);
    expect(await outcome(path)).toBe('text');
    chmodSync(made.b, 0o777);
    expect(await outcome(path)).toContain(`the folder ${made.b} is writable`);
  });
});
