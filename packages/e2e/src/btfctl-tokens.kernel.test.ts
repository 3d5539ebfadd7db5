import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Btfctl, type Ran } from './testing/btfctl.js';
import { BtfctlDaemon } from './testing/btfctl-daemon.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { RawClient } from './testing/raw-client.js';
import { intBtf } from './testing/sample-btf.js';
import { until } from './testing/until.js';

needs('bpf').describe('the output of btfctl', () => {
  let daemon: BtfctlDaemon;

  beforeAll(async () => {
    daemon = await BtfctlDaemon.start();
  });
  afterAll(async () => daemon[Symbol.asyncDispose]());

  /** Returns the start of all tokens of this daemon: its epoch, which alone is not a secret. */
  async function tokenStart(): Promise<string> {
    using client = new RawClient(daemon.process.address);
    const { result } = await client.call('loadHandle', { source: { case: 'rawBtf', value: intBtf(3, 'n') } });
    const token = result.case === 'handle' ? result.value.token : '';
    const [, start = ''] = /^([0-9a-f]{16}\.)[\w-]{22}$/.exec(token) ?? [];
    expect(start).not.toBe('');
    return start;
  }

  test.each(['wide', 'json'])('does not show the token of a handle with -o %s', async (format) => {
    const start = await tokenStart();
    await using load = new Btfctl(['load', daemon.good, '-o', format], daemon.env);
    await until('it is loaded', () => load.stderr.includes('held until Ctrl-C'));
    const id = Number(/\d+/.exec(load.stdout.replace(daemon.good, ''))?.[0]);
    const runs: Ran[] = [];
    for (const args of [['dump', `id:${id}`], ['check', daemon.good], ['list', `id:${id}`], ['info']]) {
      runs.push(await daemon.run(...args, '-o', format));
    }
    load.kill('SIGINT');
    runs.push(await load.end());
    for (const { stdout, stderr } of runs) expect(stdout + stderr).not.toContain(start);
    expect(runs.map(({ status }) => status)).toEqual([0, 0, 0, 0, 0]);
  });

  test('has no token in the environment of the command of hold, nor in the error when the daemon is gone', async () => {
    const start = await tokenStart();
    const held = await daemon.run('hold', 'vmlinux', '--', 'sh', '-c', 'env; cat /proc/$PPID/cmdline');
    expect(held).toMatchObject({ status: 0, stdout: expect.stringContaining('BTF_ID=') });
    expect(held.stdout + held.stderr).not.toContain(start);
    await using own = await DaemonProcess.start();
    await using load = new Btfctl(['load', daemon.good], { BTFD_ADDRESS: own.address });
    await until('it is loaded', () => load.stderr.includes('held until Ctrl-C'));
    await own.end('SIGKILL');
    await using _ = await DaemonProcess.start({ socket: own.socket });
    const { stdout, stderr, status } = await load.end();
    expect(status).toBe(1);
    expect(stderr).toContain('is not held any more');
    expect(stdout + stderr).not.toMatch(/[0-9a-f]{16}\.[\w-]{22}/);
  });
});
