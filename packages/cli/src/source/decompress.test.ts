import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { has, needs } from 'test-tools';
import { compressionOf } from './compression.js';
import { decompress, type DecompressOptions } from './decompress.js';

const CONTENT = Buffer.from('\x7fELF, and so on'.repeat(1000));
const BOMB = Buffer.alloc(32 * 2 ** 20);

const options: DecompressOptions = { interrupted: new AbortController().signal, checkHead: () => {} };

const PACKERS = {
  gzip: (bytes: Uint8Array) => gzipSync(bytes),
  xz: (bytes: Uint8Array) => execFileSync('xz', ['-0'], { input: bytes }),
  zstd: (bytes: Uint8Array) => execFileSync('zstd', ['-q'], { input: bytes }),
} as const;

describe.each(['gzip', 'xz', 'zstd'] as const)('a file of %s', (name) => {
  const tools = name === 'gzip' ? [] : [name];
  const run = needs(...tools);
  const unpack = async (packed: Uint8Array, more: Partial<DecompressOptions> = {}): Promise<Uint8Array> => {
    const compression = compressionOf(packed);
    if (compression === null) throw new Error('not compressed');
    return decompress('x.ko', packed, compression, { ...options, ...more });
  };

  run.test('has the content that was compressed', async () => {
    expect(Buffer.compare(await unpack(PACKERS[name](CONTENT)), CONTENT)).toBe(0);
  });

  run.test('that is a bomb is refused at a limit, and before that if its content is not wanted', async () => {
    const bomb = PACKERS[name](BOMB);
    expect(bomb.length).toBeLessThan(100_000);
    await expect(unpack(bomb, { maxBytes: 1000 })).rejects.toThrow(
      'the content of x.ko is larger than 1,000 bytes',
    );
    const checkHead = (head: Uint8Array): void => {
      throw new Error(`not BTF: ${head[0]}`);
    };
    await expect(unpack(bomb, { checkHead })).rejects.toThrow('not BTF: 0');
  });

  run.test('that is cut off or damaged is reported with its name', async () => {
    const packed = PACKERS[name](CONTENT);
    await expect(unpack(packed.subarray(0, packed.length - 5))).rejects.toThrow('cannot decompress x.ko: ');
    // zstd prints nothing of a short file.
    const short = PACKERS[name](CONTENT.subarray(0, 100)).subarray(0, -5);
    const checkHead = ({ length }: Uint8Array): void => {
      if (length === 0) throw new Error('empty');
    };
    await expect(unpack(short, { checkHead })).rejects.toThrow('cannot decompress x.ko: ');
    const damaged = Buffer.from(packed);
    damaged.fill(0xff, 12, 24);
    await expect(unpack(damaged)).rejects.toThrow('cannot decompress x.ko: ');
  });

  run.test('is left when the user interrupts it', async () => {
    const interrupted = AbortSignal.abort(new Error('Ctrl-C'));
    await expect(unpack(PACKERS[name](CONTENT), { interrupted })).rejects.toThrow('Ctrl-C');
  });
});

test.each(['xz', 'zstd'] as const)('a missing program %s is named, and how to install it', async (name) => {
  if (!has(name)) return;
  const packed = PACKERS[name](CONTENT);
  const compression = compressionOf(packed);
  if (compression === null) throw new Error('not compressed');
  await expect(
    decompress('x.ko', packed, compression, { ...options, env: { PATH: '/nonexistent' }, inNode: false }),
  ).rejects.toMatchObject({
    message: `x.ko is compressed, and there is no program ${name} to decompress it`,
    hint: `install ${name === 'xz' ? 'xz-utils' : 'zstd, run btfctl with Node 24 or newer'}, or give the file without compression`,
  });
});

test('Node 24 and newer need no program for zstd, and an older one says so', async () => {
  if (!has('zstd')) return;
  const packed = PACKERS.zstd(CONTENT);
  const compression = compressionOf(packed);
  if (compression === null) throw new Error('not compressed');
  const outcome = await decompress('x.ko', packed, compression, {
    ...options,
    env: { PATH: '/nonexistent' },
  }).then(
    (content) => Buffer.compare(content, CONTENT) === 0,
    ({ hint }: { hint: string }) => hint,
  );
  const isNew = Number(process.versions.node.split('.')[0]) >= 24;
  expect(outcome).toEqual(isNew || expect.stringContaining('run btfctl with Node 24 or newer'));
});
