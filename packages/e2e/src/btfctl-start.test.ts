import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { BTFCTL } from './testing/btfctl.js';
import { loadedPackages } from './testing/loaded-packages.js';
import { intBtf } from './testing/sample-btf.js';

describe('btfctl loads only what a command needs', () => {
  let dir: string;
  let path: string;

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'btfctl-start-'));
    path = join(dir, 'good.btf');
    writeFileSync(path, intBtf(3, 'number'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  test.each(['version', '--version', '--help', 'help find', 'completion bash', 'no-such-command'])(
    '`%s` loads neither gRPC nor the format',
    async (line) => {
      const { packages } = await loadedPackages(line.split(' '));
      expect([...packages].toSorted()).toEqual(['@btfd/cli', 'commander', 'picocolors']);
    },
  );

  test.each([
    'dump FILE --type number',
    'dump FILE -o json',
    'header FILE',
    'find * --in FILE',
    'member number.none --in FILE',
    'layout number --in FILE',
    'diff FILE FILE',
    'dump ./no-such.btf',
  ])('`%s` loads no gRPC', async (line) => {
    const args = line.split(' ').map((word) => (word === 'FILE' ? path : word));
    const { packages, status } = await loadedPackages(args);
    expect([0, 3]).toContain(status);
    expect([...packages].toSorted()).toEqual(['@btfd/btf', '@btfd/cli', 'commander', 'picocolors']);
  });

  test('a command that asks a daemon loads gRPC, so this test would notice', async () => {
    const { packages, status } = await loadedPackages(['list']);
    expect(status).toBe(6);
    expect([...packages]).toEqual(expect.arrayContaining(['@btfd/client', '@grpc/grpc-js']));
    // A list has its own code of messages.
    expect([...packages]).not.toContain('@bufbuild/protobuf');
  });
});

// As in a container that runs as a user id without a name.
needs('root', 'setpriv').test(
  'btfctl starts as a user without a home and without an entry in the list of users',
  () => {
    const env = { PATH: process.env['PATH'], XDG_RUNTIME_DIR: '/nonexistent' };
    const ids = ['--reuid', '4242424', '--regid', '4242424', '--clear-groups', '--'];
    const ran = spawnSync('setpriv', [...ids, process.execPath, BTFCTL, 'context', 'list', '-o', 'json'], {
      encoding: 'utf8',
      env,
      timeout: 120_000,
    });
    expect([ran.stderr, ran.status]).toEqual([expect.stringMatching(/^no contexts in \/nonexistent\//), 0]);
  },
);
