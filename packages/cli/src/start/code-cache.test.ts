import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CodeCache } from './code-cache.js';

const require = createRequire(import.meta.url);

const MAIN = `
const { join } = require('node:path');
exports.word = () => join('a', require('./other-1.cjs').word());
exports.again = () => require('./other-1.cjs');
exports.names = () => [__filename, __dirname, module.exports === exports];`;
const OTHER = "exports.word = () => 'b';";

interface Chunk {
  readonly word: () => string;
  readonly again: () => unknown;
  readonly names: () => unknown[];
}

function isChunk(value: unknown): value is Chunk {
  return typeof value === 'object' && value !== null && 'word' in value;
}

describe('a CodeCache', () => {
  let dir: string;
  let file: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'btfctl-code-'));
    file = join(dir, 'list-v20');
    writeFileSync(join(dir, 'main-1.cjs'), MAIN);
    writeFileSync(join(dir, 'other-1.cjs'), OTHER);
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  function load(cache: CodeCache, name = 'main-1.cjs'): Chunk {
    const chunk = cache.require(join(dir, name));
    if (!isChunk(chunk)) throw new Error('not a chunk');
    return chunk;
  }

  /** Loads the chunks and saves. Returns whether the file was written. */
  function run(): boolean {
    const cache = new CodeCache(file, dir, require);
    rmSync(file, { force: true });
    expect(load(cache).word()).toBe('a/b');
    cache.save();
    return existsSync(file);
  }

  test('loads chunks as Node does, each once', () => {
    const chunk = load(new CodeCache(file, dir, require));
    expect(chunk.word()).toBe('a/b');
    expect(chunk.again()).toBe(chunk.again());
    expect(chunk.names()).toEqual([join(dir, 'main-1.cjs'), dir, true]);
  });

  test('keeps the code of the chunks of a run, and then has nothing to write', () => {
    expect(run()).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'latin1')).toMatch(/^".*"\nmain-1\.cjs \d+ other-1\.cjs \d+\n/);
    expect(run()).toBe(false);
  });

  test('writes the file again when a run loads a chunk that is not in it', () => {
    const first = new CodeCache(file, dir, require);
    load(first);
    first.save();
    expect(readFileSync(file, 'latin1')).not.toContain('other-1.cjs');
    expect(run()).toBe(true);
    expect(readFileSync(file, 'latin1')).toMatch(/^".*"\nmain-1\.cjs \d+ other-1\.cjs/);
  });

  test('uses no code of a chunk with another name, whose content is another', () => {
    expect(run()).toBe(true);
    writeFileSync(join(dir, 'main-2.cjs'), MAIN.replace("'a'", "'c'"));
    expect(load(new CodeCache(file, dir, require), 'main-2.cjs').word()).toBe('c/b');
  });

  test.each([
    ['empty', () => Buffer.alloc(0)],
    ['cut off', (whole: Buffer) => whole.subarray(0, whole.length / 2)],
    ['longer', (whole: Buffer) => Buffer.concat([whole, whole])],
    ['without its first line', (whole: Buffer) => whole.subarray(whole.indexOf('\n') + 1)],
    [
      'of another folder',
      (whole: Buffer) => Buffer.from(whole.toString('latin1').replace('btfctl', 'BTFCTL'), 'latin1'),
    ],
    ['text', () => Buffer.from('main-1.cjs -1 other-1.cjs x\nnothing')],
  ])('loads the chunks and writes the file again if it is %s', (_, changed) => {
    expect(run()).toBe(true);
    writeFileSync(file, changed(readFileSync(file)));
    expect(run()).toBe(true);
    expect(run()).toBe(false);
  });

  test('uses no code of another version of V8', () => {
    expect(run()).toBe(true);
    writeFileSync(file, withOtherVersion(readFileSync(file)));
    // V8 keeps scripts of the process by their text. It compares its versions only for another text.
    writeFileSync(join(dir, 'main-1.cjs'), MAIN.replace("'a'", "'d'"));
    const cache = new CodeCache(file, dir, require);
    rmSync(file);
    expect(load(cache).word()).toBe('d/b');
    cache.save();
    expect(existsSync(file)).toBe(true);
  });

  test('works where no file can be written', () => {
    const cache = new CodeCache(join(dir, 'missing', 'file'), dir, require);
    expect(load(cache).word()).toBe('a/b');
    expect(() => cache.save()).not.toThrow();
  });
});

/** Changes the version in the code of the first chunk. V8 compares it. */
function withOtherVersion(whole: Buffer): Buffer {
  const changed = Buffer.from(whole);
  const start = Math.ceil((whole.indexOf('\n', whole.indexOf('\n') + 1) + 1) / 8) * 8;
  changed.writeUInt32LE((changed.readUInt32LE(start + 4) ^ 1) >>> 0, start + 4);
  return changed;
}
