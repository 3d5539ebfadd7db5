import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { btfctl, BTFCTL, type Ran } from './testing/btfctl.js';
import { hintedCommand } from './testing/hint.js';
import { intBtf } from './testing/sample-btf.js';
import { until } from './testing/until.js';

describe('the input of btfctl', () => {
  let dir: string;

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'btfctl-input-'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const run = (...args: string[]): Promise<Ran> =>
    btfctl(args, { BTFD_ADDRESS: 'unix:/nonexistent/btfd.sock' });

  test.each([
    ['an endless device', ['dump', 'file:/dev/zero'], 1, '/dev/zero is neither BTF nor an ELF file'],
    ['an empty device', ['dump', '/dev/null'], 1, '/dev/null is empty'],
    ['no input', ['dump', '-'], 1, 'standard input is empty'],
    ['a folder', ['dump', '/tmp/'], 1, 'cannot read /tmp/: EISDIR'],
    [
      'a folder for the config',
      ['context', 'list', '--config', '/tmp/'],
      2,
      /the config file: EISDIR: .* '\/tmp\/'/,
    ],
    [
      'a folder for TLS',
      ['list', '-a', 'x:1', '--tls-ca', '/tmp/'],
      2,
      /authorities \(ca\): EISDIR: .* '\/tmp\/'/,
    ],
    ['two SPECs of standard input', ['diff', '-', '-'], 2, 'only one SPEC can be -'],
    ['an empty name of an object', ['list', ''], 2, 'the name of the object is empty'],
    ['an id to watch', ['watch', 'id:7'], 2, 'id:7 cannot be watched'],
    ['an empty option', ['context', 'set', 'a', '-a', 'x:1', '--tls-ca', ''], 2, /'--tls-ca <file>'.* empty/],
    ['a time that no timer has', ['list', '--timeout', '35792m'], 2, /'35792m' is invalid.* 35791m/],
    ['a type id that is not a number', ['dump', 'x.btf', '--root-id', '1e0'], 2, '"1e0" is not a type id'],
    ['a word of bpftool without its value', ['dump', 'x.btf', 'root_id'], 2, 'root_id needs a value'],
    ['a file below a file', ['dump', '/etc/passwd/x'], 3, 'there is no file /etc/passwd/x'],
    [
      'an ELF file without BTF, checked',
      ['check', '/bin/true'],
      3,
      '/bin/true: ELF file has no section .BTF',
    ],
    ['an ELF file without BTF, loaded', ['load', '/bin/true'], 3, '/bin/true: ELF file has no section .BTF'],
  ])('%s is reported by name', async (_, args, status, text) => {
    const ran = await run(...args);
    expect(ran).toMatchObject({ status, stdout: '' });
    expect(ran.stderr).toMatch(/^btfctl: /);
    if (typeof text === 'string') expect(ran.stderr).toContain(`btfctl: ${text}`);
    else expect(ran.stderr).toMatch(text);
  });

  test('BTF with a mistake on standard input is reported as such', () => {
    const { stderr } = spawnSync(process.execPath, [BTFCTL, 'dump', '-'], {
      input: Buffer.from([0x9f, 0xeb]),
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/^btfctl: standard input: BTF of 2 bytes/);
  });

  test('a type id that does not exist is not found', async () => {
    const file = join(dir, 'one.btf');
    writeFileSync(file, intBtf(3, 'number'));
    expect(await run('dump', file, '--root-id', '4')).toMatchObject({ status: 3 });
    expect(await run('dump', file, 'root_id', '0x1')).toMatchObject({ status: 0 });
  });

  test('an empty HOME does not make the current folder the home', () => {
    mkdirSync(join(dir, '.config/btfd'), { recursive: true });
    writeFileSync(join(dir, '.config/btfd/config.yaml'), 'contexts: { planted: { address: "x:1" } }\n');
    const env = { PATH: process.env['PATH'], HOME: '' };
    const { stdout } = spawnSync(process.execPath, [BTFCTL, 'context', 'list'], {
      cwd: dir,
      env,
      encoding: 'utf8',
    });
    expect(stdout).not.toContain('planted');
  });

  test.each([
    ['an unknown option', ['list', '--nothing']],
    ['an unknown command', ['lits']],
    ['a missing argument of a command of context', ['context', 'use']],
    ['a missing config file', ['list', '--config', 'CONFIG']],
    ['a context without an address', ['context', 'set', 'web1']],
    ['an unknown context', ['context', 'use', 'web2']],
    ['an unknown type', ['layout', 'numbr', '--in', 'FILE']],
  ])('the command in the hint for %s works', async (_, args) => {
    const file = join(dir, 'good.btf');
    writeFileSync(file, intBtf(3, 'number'));
    const values = { CONFIG: join(dir, 'new.yaml'), FILE: file, SPEC: file, NAME: 'numb', ADDRESS: 'x:1' };
    const env = { BTFCTL_CONFIG: join(dir, 'config.yaml') };
    const valueOf = (word: string): string =>
      Object.entries(values).find(([name]) => name === word)?.[1] ?? word;
    const ran = await btfctl(args.map(valueOf), env);
    expect(ran.status).not.toBe(0);
    expect(await btfctl(hintedCommand(ran, values), env)).toMatchObject({ status: 0 });
  });

  test('a truncated ELF file is reported by name when it is checked', async () => {
    const path = join(dir, 'cut.o');
    writeFileSync(path, Buffer.concat([Buffer.from('\x7fELF'), Buffer.alloc(60)]));
    expect((await run('check', path)).stderr).toContain(`btfctl: ${path}: unknown ELF class 0`);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('one %s ends the wait for a pipe without a writer', async (signal, status) => {
    const fifo = join(dir, signal);
    execFileSync('mkfifo', [fifo]);
    for (const args of [
      ['dump', fifo],
      ['dump', '-'],
      ['info', '--config', fifo],
      ['info', '--address', '127.0.0.1:1', '--tls-ca', fifo],
    ]) {
      const child = spawn(process.execPath, [BTFCTL, ...args], { stdio: ['pipe', 'ignore', 'ignore'] });
      const ended = once(child, 'exit');
      await idle(child.pid);
      child.kill(signal);
      // A shell reports the same exit code for both.
      expect([
        [status, null],
        [null, signal],
      ]).toContainEqual(await ended);
    }
  });

  test('a shell may write the config and the files of TLS to pipes', () => {
    const command = `'${process.execPath}' '${BTFCTL}' context list --config <(echo 'contexts: {a: {address: "x:1"}}')`;
    expect(execFileSync('bash', ['-c', command], { encoding: 'utf8' })).toContain('x:1');
    const tls = `'${process.execPath}' '${BTFCTL}' info --address 127.0.0.1:1 --tls-ca <(echo nothing)`;
    const { stderr } = spawnSync('bash', ['-c', tls], { encoding: 'utf8' });
    expect(stderr).toMatch(/authorities \(ca\): there is no certificate in \/dev\/fd\/\d+/);
  });

  test.each(['--help', '--version', 'version'])('a full disk makes %s exit with an error', async (word) => {
    const child = spawn(process.execPath, [BTFCTL, word], {
      stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
    });
    let errors = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(errors).not.toContain('at ');
  });
});

/** Waits until a process uses no CPU time. */
async function idle(pid: number | undefined): Promise<void> {
  let before = '';
  await until('the process is idle', async () => {
    const now = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ').slice(13, 15).join(' ');
    const isIdle = now === before;
    before = now;
    await setTimeout(500);
    return isIdle;
  });
}
