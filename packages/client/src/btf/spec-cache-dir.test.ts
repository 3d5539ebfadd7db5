import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SpecCacheDir } from './spec-cache-dir.js';

const BUILT = new URL('../../dist/btf/spec-cache-dir.js', import.meta.url).href;
const LIMIT = 1024 * 1024;

let root: string;
let dir: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'btfd-cache-'));
  dir = join(root, 'specs');
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

interface Sample {
  readonly digest: string;
  readonly bytes: Uint8Array;
}

/** Returns bytes that differ by seed. The cache does not interpret them. */
function sample(seed: number, size = 1000): Sample {
  const bytes = new Uint8Array(size).fill(seed);
  return { bytes, digest: createHash('sha256').update(bytes).digest('hex') };
}

async function keep(cache: SpecCacheDir, ...samples: Sample[]): Promise<void> {
  for (const { digest, bytes } of samples) {
    cache.write(digest, bytes);
    // One after the other, so that the order is certain.
    await cache.settled();
  }
}

const pathOf = ({ digest }: Sample): string => join(dir, `${digest}.btf`);

/** Sets the time of a file's last use, in seconds before now. */
function age(file: Sample, seconds: number): void {
  const at = Date.now() / 1000 - seconds;
  utimesSync(pathOf(file), at, at);
}

test('a written file is read again, also by others, and only its user may read it', async () => {
  const a = sample(1);
  await keep(new SpecCacheDir(dir, LIMIT), a);
  expect(await new SpecCacheDir(dir, LIMIT).read(a.digest)).toEqual(a.bytes);
  expect(readdirSync(dir)).toEqual([`${a.digest}.btf`]);
  expect(statSync(pathOf(a)).mode & 0o777).toBe(0o600);
  expect(statSync(dir).mode & 0o777).toBe(0o700);
});

test('a folder is made with its parents, and only its user may read them', async () => {
  const deep = join(root, 'a', 'b');
  const [one, other] = [new SpecCacheDir(deep, LIMIT), new SpecCacheDir(deep, LIMIT)];
  await Promise.all([keep(one, sample(1)), keep(other, sample(2))]);
  expect(readdirSync(deep)).toHaveLength(2);
  expect(['a', 'a/b'].map((name) => statSync(join(root, name)).mode & 0o777)).toEqual([0o700, 0o700]);
});

test('nothing is kept if the kernel refuses the folder, and nothing is retried forever', async () => {
  const cache = new SpecCacheDir('/proc/nothing/specs', LIMIT);
  await keep(cache, sample(1));
  expect(await cache.read(sample(1).digest)).toBeNull();
});

test('a relative folder is resolved once', async () => {
  const cwd = process.cwd();
  try {
    process.chdir(root);
    const cache = new SpecCacheDir('specs', LIMIT);
    process.chdir(cwd);
    await keep(cache, sample(1));
    expect(existsSync(pathOf(sample(1)))).toBe(true);
  } finally {
    process.chdir(cwd);
  }
});

test('BTF that was not written is not found', async () => {
  const cache = new SpecCacheDir(dir, LIMIT);
  expect(await cache.read(sample(1).digest)).toBeNull();
  expect(await cache.lastSeen('vmlinux')).toBeNull();
});

test('the digests of an object when last seen are remembered, whatever its name is', async () => {
  const cache = new SpecCacheDir(dir, LIMIT);
  const last = { digest: sample(1).digest, baseDigest: '' };
  const module = { digest: sample(2).digest, baseDigest: sample(1).digest };
  cache.writeLastSeen('vmlinux', last);
  cache.writeLastSeen('../../escape', module);
  await cache.settled();
  expect(await new SpecCacheDir(dir, LIMIT).lastSeen('vmlinux')).toEqual(last);
  expect(await cache.lastSeen('../../escape')).toEqual(module);
  expect(readdirSync(root)).toEqual(['specs']);
});

describe('a file whose content does not fit its name', () => {
  const a = sample(1);

  test.each<[string, () => void]>([
    ['other bytes', () => writeFileSync(pathOf(a), sample(2).bytes)],
    ['a part', () => writeFileSync(pathOf(a), a.bytes.subarray(1))],
    ['nothing', () => writeFileSync(pathOf(a), '')],
  ])('%s, is not used, and is removed', async (_, spoil) => {
    const cache = new SpecCacheDir(dir, LIMIT);
    await keep(cache, a);
    spoil();
    expect(await cache.read(a.digest)).toBeNull();
    expect(existsSync(pathOf(a))).toBe(false);
    await keep(cache, a);
    expect(await cache.read(a.digest)).toEqual(a.bytes);
  });

  test.each<[string, () => void]>([
    ['a link', () => symlinkSync('/dev/zero', pathOf(a))],
    ['a folder', () => mkdirSync(pathOf(a))],
    ['a pipe without a writer', () => execFileSync('mkfifo', [pathOf(a)])],
    ['larger than the limit', () => writeFileSync(pathOf(a), new Uint8Array(LIMIT + 1))],
  ])('%s, counts as missing', async (_, make) => {
    mkdirSync(dir);
    make();
    expect(await new SpecCacheDir(dir, LIMIT).read(a.digest)).toBeNull();
  });

  test('larger than any BTF, is not read', async () => {
    const cache = new SpecCacheDir(dir, Infinity);
    await keep(cache, a);
    truncateSync(pathOf(a), 400 * 1024 * 1024);
    expect(await cache.read(a.digest)).toBeNull();
    // It would have been removed if it had been read.
    expect(existsSync(pathOf(a))).toBe(true);
    await keep(cache, a);
    expect(await cache.read(a.digest)).toEqual(a.bytes);
  });

  test('larger than two digests, is not read', async () => {
    const cache = new SpecCacheDir(dir, Infinity);
    cache.writeLastSeen('vmlinux', { digest: a.digest, baseDigest: '' });
    await cache.settled();
    for (const name of readdirSync(dir)) truncateSync(join(dir, name), 400 * 1024 * 1024);
    expect(await cache.lastSeen('vmlinux')).toBeNull();
  });
});

test('an invalid digest does not name a file', async () => {
  const cache = new SpecCacheDir(dir, LIMIT);
  cache.write('../x', new Uint8Array(1));
  cache.write('', new Uint8Array(1));
  await cache.settled();
  expect(readdirSync(root)).toEqual([]);
  expect(await cache.read('../x')).toBeNull();
});

describe('the bound', () => {
  const [a, b, c, d, e] = [1, 2, 3, 4, 5].map((seed) => sample(seed, 256 * 1024));

  test('drops the least recently used files', async () => {
    if (!a || !b || !c || !d || !e) throw new Error('no samples');
    const cache = new SpecCacheDir(dir, LIMIT);
    await keep(cache, a, b, c, d);
    for (const [index, file] of [a, b, c, d].entries()) age(file, 100 - index);
    // Reading counts as use.
    await cache.read(a.digest);
    await keep(new SpecCacheDir(dir, LIMIT), e);
    const left = [a, b, c, d, e].map((file) => existsSync(pathOf(file)));
    expect(left).toEqual([true, false, false, true, true]);
  });

  test('holds although the folder is not checked at each write', async () => {
    const cache = new SpecCacheDir(dir, LIMIT);
    const samples = Array.from({ length: 100 }, (_, i) => sample(i, 64 * 1024));
    await keep(cache, ...samples);
    const kept = readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
    expect(kept).toBeLessThanOrEqual(LIMIT);
    expect(kept).toBeGreaterThan(LIMIT / 2);
  });

  test('leaves other files alone, and removes files that were left unfinished', async () => {
    mkdirSync(dir);
    const old = '0b9e2a86-5a42-4a8e-9d0c-0d3f2f6f8f11.btf-tmp';
    const fresh = '0b9e2a86-5a42-4a8e-9d0c-0d3f2f6f8f12.btf-tmp';
    for (const name of ['notes.txt', old, fresh]) writeFileSync(join(dir, name), 'x');
    const before = Date.now() / 1000 - 7200;
    for (const name of ['notes.txt', old]) utimesSync(join(dir, name), before, before);
    await keep(new SpecCacheDir(dir, 8192), sample(1), sample(2), sample(3));
    expect(readdirSync(dir)).toEqual(expect.arrayContaining(['notes.txt', fresh]));
    expect(existsSync(join(dir, old))).toBe(false);
  });

  test('excludes files that are larger than itself', async () => {
    await keep(new SpecCacheDir(dir, 4096), sample(1, 5000));
    expect(existsSync(dir)).toBe(false);
  });
});

describe('a folder that cannot be used', () => {
  test('because it is a file, only disables the cache', async () => {
    writeFileSync(dir, 'a file');
    const cache = new SpecCacheDir(dir, LIMIT);
    await keep(cache, sample(1));
    expect(await cache.read(sample(1).digest)).toBeNull();
    expect(readFileSync(dir, 'utf8')).toBe('a file');
  });

  test('because it belongs to another user, is read nevertheless', async () => {
    const [a, b] = [sample(1), sample(2)];
    await keep(new SpecCacheDir(dir, LIMIT), a);
    chmodSync(root, 0o755);
    chmodSync(dir, 0o555);
    chmodSync(pathOf(a), 0o444);
    const program = `
      import { SpecCacheDir } from ${JSON.stringify(BUILT)};
      // Root may write anywhere.
      if (process.getuid() === 0) process.setuid(65534);
      const cache = new SpecCacheDir(${JSON.stringify(dir)}, ${LIMIT});
      cache.write(${JSON.stringify(b.digest)}, new Uint8Array(${b.bytes.length}).fill(2));
      cache.writeLastSeen('vmlinux', { digest: 'x', baseDigest: '' });
      await cache.settled();
      console.log((await cache.read(${JSON.stringify(a.digest)}))?.length, await cache.read(${JSON.stringify(b.digest)}));`;
    const { stdout } = await run(program);
    chmodSync(dir, 0o755);
    expect(stdout).toBe('1000 null\n');
    expect(readdirSync(dir)).toEqual([`${a.digest}.btf`]);
  });

  test('because the disk is full, keeps the files that fit and leaves no parts', async () => {
    // A limit on the size of files stands in for the disk.
    const [small, large] = [sample(1, 1000), sample(2, 100_000)];
    const program = `
      import { SpecCacheDir } from ${JSON.stringify(BUILT)};
      process.on('SIGXFSZ', () => {});
      const cache = new SpecCacheDir(${JSON.stringify(dir)}, ${LIMIT});
      cache.write(${JSON.stringify(small.digest)}, new Uint8Array(1000).fill(1));
      cache.write(${JSON.stringify(large.digest)}, new Uint8Array(100_000).fill(2));
      await cache.settled();`;
    await promisify(execFile)('sh', [
      '-c',
      'ulimit -f 16; exec "$0" --input-type=module -e "$1"',
      process.execPath,
      program,
    ]);
    expect(readdirSync(dir)).toEqual([`${small.digest}.btf`]);
  });
});

test('processes that write and read one folder at the same time see only whole files', async () => {
  const program = `
    import { createHash } from 'node:crypto';
    import { SpecCacheDir } from ${JSON.stringify(BUILT)};
    const cache = new SpecCacheDir(${JSON.stringify(dir)}, ${LIMIT});
    let hits = 0;
    for (let i = 0; i < 40; i++) {
      const bytes = new Uint8Array(64 * 1024).fill(i % 2 === 0 ? 0 : i % 20);
      const digest = createHash('sha256').update(bytes).digest('hex');
      const found = await cache.read(digest);
      if (found !== null && Buffer.compare(found, bytes) !== 0) throw new Error('another file');
      if (found === null) cache.write(digest, bytes);
      else hits += 1;
      await cache.settled();
    }
    console.log(hits > 0);`;
  const outputs = await Promise.all([run(program), run(program), run(program)]);
  expect(outputs.map(({ stdout }) => stdout)).toEqual(['true\n', 'true\n', 'true\n']);
  expect(readdirSync(dir).every((name) => /^[0-9a-f]{64}\.btf$/.test(name))).toBe(true);
});

async function run(program: string): Promise<{ stdout: string }> {
  return promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
}
