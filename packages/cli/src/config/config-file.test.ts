import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ConfigFile } from './config-file.js';
import { readConfigText } from './config-text.js';

describe('ConfigFile', () => {
  let dir: string;
  let path: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'btfctl-config-'));
    path = join(dir, 'config.yaml');
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const read = async (file: string, mustExist = true): Promise<ConfigFile> =>
    ConfigFile.parse(file, await readConfigText(file, mustExist, new AbortController().signal));

  const written = async (text: string): Promise<ConfigFile> => {
    writeFileSync(path, text, { mode: 0o640 });
    return read(path);
  };

  test('a file that is named must exist', async () => {
    await expect(read(path)).rejects.toThrow(`there is no config file ${path}`);
    expect((await read(path, false)).config.contexts.size).toBe(0);
  });

  test('is created with its folders, for its owner alone', async () => {
    const deep = join(dir, 'a', 'b', 'config.yaml');
    (await read(deep, false)).set('here', { address: 'unix:/x.sock', tls: null });
    expect(readFileSync(deep, 'utf8')).toBe('contexts:\n  here:\n    address: unix:/x.sock\n');
    expect(statSync(deep).mode & 0o777).toBe(0o600);
    expect(statSync(join(dir, 'a')).mode & 0o777).toBe(0o700);
  });

  test('a folder that the kernel refuses is an error', async () => {
    const file = await read('/proc/nothing/config.yaml', false);
    expect(() => file.use('x')).toThrow('cannot write the config file: ENOENT');
  });

  test('a link stays a link, and its target keeps its mode', async () => {
    await written('contexts: { a: { address: "x:1" } }\n');
    const link = join(dir, 'link.yaml');
    symlinkSync('config.yaml', link);
    (await read(link)).use('a');
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(path, 'utf8')).toContain('current-context: a');
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(readdirSync(dir).toSorted()).toEqual(['config.yaml', 'link.yaml']);
  });

  test.each(['contexts:\n', 'null\n', '', '# nothing\n', 'contexts: {}\n'])(
    'a context can be added to %j',
    async (text) => {
      (await written(text)).set('a', { address: 'x:1', tls: null });
      expect([...(await read(path)).config.contexts.keys()]).toEqual(['a']);
    },
  );

  test('a context whose name YAML reads as a number can be replaced and removed', async () => {
    const text = 'contexts:\n  1:\n    address: x:1\n';
    (await written(text)).set('1', { address: 'y:1', tls: null });
    expect(readFileSync(path, 'utf8')).toBe(text.replace('x:1', 'y:1'));
    (await read(path)).remove('1');
    expect((await read(path)).config.contexts.size).toBe(0);
  });

  test('keeps its first comment when the current context is removed', async () => {
    const file = await written(
      '# my nodes\ncurrent-context: a\n# all\ncontexts:\n  a:\n    address: x:1\n  b:\n    address: y:1 # bee\n',
    );
    file.remove('a');
    expect(readFileSync(path, 'utf8')).toBe('# my nodes\n# all\ncontexts:\n  b:\n    address: y:1 # bee\n');
  });

  test.each([
    ['contexts:\n  a: 1\n  a: 2\n', 'Map keys must be unique at line 3, column 3'],
    ['contexts: {}\n---\ncontexts: {}\n', 'has more than one document'],
    [
      `a: &a [x, x]\n${aliases('abcdefghijklmnop')}`,
      'Excessive alias count indicates a resource exhaustion attack',
    ],
  ])('%j is rejected with the name of the file', async (text, message) => {
    let thrown = '';
    try {
      await written(text);
    } catch (error) {
      thrown = String(error);
    }
    expect(thrown).toBe(`CliError: ${path}: ${message}`);
  });
});

/** Returns lists, each with ten aliases of the one before. */
function aliases(names: string): string {
  return Array.from(names.slice(1))
    .map((name, index) => `${name}: &${name} [${Array(10).fill(`*${names[index]}`).join(', ')}]\n`)
    .join('');
}
