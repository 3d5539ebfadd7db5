import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { BTFCTL } from './testing/btfctl.js';

const BTFD = fileURLToPath(new URL('../../server/bin/btfd.js', import.meta.url));

const COMMANDS = [
  ['btfctl', BTFCTL, ['help', 'dump']],
  ['btfctl', BTFCTL, ['--version']],
  ['btfctl', BTFCTL, ['completion', 'bash']],
  ['btfd', BTFD, ['config', 'check']],
] as const;

/** Runs a command in bash; `$0` and `$@` are the command. */
function bash(script: string, program: string, args: readonly string[]) {
  const { stdout, stderr } = spawnSync('bash', ['-c', script, process.execPath, program, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: '/nonexistent' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { stdout, stderr };
}

test.each([...COMMANDS, ['btfd', BTFD, ['--help']] as const])(
  '%s, from %s, with %p ends silently if nobody reads its output',
  (_, program, args) => {
    // The reader ends before anything is written.
    const script = '{ sleep 0.2; "$0" "$@"; echo "$?" >&2; } | true';
    expect(bash(script, program, args)).toEqual({ stdout: '', stderr: '0\n' });
  },
);

test.each(COMMANDS)(
  '%s, from %s, with %p reports an error if there is no room for its output',
  (name, program, args) => {
    const { stderr } = bash('"$0" "$@" > /dev/full; echo "$?" >&2', program, args);
    expect(stderr).toMatch(
      new RegExp(`^${name === 'btfctl' ? 'btfctl' : 'error'}: cannot write: ENOSPC: [^\\n]*\\n1\\n$`),
    );
  },
);

test.each([
  'exec 3>&1; { sleep 0.2; "$0" "$@" 2>&1 >/dev/null; echo "$?" >&3; } | true',
  '"$0" "$@" 2> /dev/full; echo "$?"',
])('an error of btfctl that nobody can read keeps its exit code: %s', (script) => {
  expect(bash(script, BTFCTL, ['dump', './nothing.btf'])).toEqual({ stdout: '3\n', stderr: '' });
});

test('btfd certs init reports once that it cannot print the names of its files', () => {
  const dir = mkdtempSync(join(tmpdir(), 'btfd-'));
  try {
    const { stderr } = bash('"$0" "$@" > /dev/full; echo "$?" >&2', BTFD, [
      'certs',
      'init',
      join(dir, 'made'),
    ]);
    expect(stderr.match(/cannot write/g)).toHaveLength(1);
    expect(stderr).toMatch(/\n1\n$/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
