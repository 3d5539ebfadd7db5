import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { btfIds } from './testing/bpftool.js';
import { Btfctl } from './testing/btfctl.js';
import { BtfctlDaemon } from './testing/btfctl-daemon.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { schemaErrors } from './testing/json-schema.js';
import { until } from './testing/until.js';

needs('bpf').describe('btfctl, while it runs,', () => {
  let daemon: BtfctlDaemon;

  beforeAll(async () => {
    daemon = await BtfctlDaemon.start();
  });
  afterAll(async () => daemon[Symbol.asyncDispose]());

  test('load holds an object until it is interrupted', async () => {
    await using load = new Btfctl(['load', daemon.good], daemon.env);
    await until('it is loaded', () => load.stderr.includes('held until Ctrl-C'));
    const id = Number(/as BTF id (\d+), 80 bytes/.exec(load.stdout)?.[1]);
    expect(btfIds()).toContain(id);
    load.kill('SIGINT');
    expect(await load.end()).toMatchObject({ status: 0 });
    await until('the object is gone', () => !btfIds().includes(id));
    await using orphan = await daemon.hold();
    orphan.hangUp();
    await until('it ends with its terminal', () => !btfIds().includes(orphan.id));
    const refused = await daemon.run('load', daemon.bad);
    expect(refused).toMatchObject({ status: 4, stdout: '' });
    expect(refused.stderr).toContain('[3] Invalid kind:0');
    expect(refused.stderr).toContain('bad.btf: BTF refused with EINVAL\n');
    expect(refused.stderr).toContain('[1] INT number');
  });

  test('load reports that the daemon with its object is gone', async () => {
    await using own = await DaemonProcess.start();
    await using load = new Btfctl(['load', daemon.good, '-o', 'json'], {
      BTFD_ADDRESS: own.address,
    });
    await until('it is loaded', () => load.stdout.includes('}'));
    expect(schemaErrors('load', load.stdout)).toEqual([]);
    await own.end('SIGKILL');
    await using again = await DaemonProcess.start({ socket: own.socket });
    expect(again.address).toBe(own.address);
    const ran = await load.end();
    expect(ran.status).toBe(1);
    expect(ran.stderr).toMatch(/BTF id \d+ is not held any more/);
  });

  test('hold keeps an object open while a command runs, and exits with its exit code', async () => {
    await using held = await daemon.hold();
    const seen = join(daemon.dir, 'seen');
    const script = `echo "$BTF_ID"; until [ -e ${seen} ]; do sleep 0.05; done; exit 9`;
    await using holding = new Btfctl(['hold', String(held.id), '--', 'sh', '-c', script], daemon.env);
    await until('the command runs', () => holding.stdout !== '');
    await held.end();
    // The command still runs, and nothing else holds the object.
    expect(btfIds()).toContain(held.id);
    writeFileSync(seen, '');
    expect(await holding.end()).toMatchObject({ status: 9, stdout: `${held.id}\n` });
    await until('the object is gone', () => !btfIds().includes(held.id));
  });

  test.each([
    ['of a missing command', ['vmlinux', '--', 'no-such-command'], 127],
    ['of an empty command', ['vmlinux', '--', ''], 2],
    ['of a file that cannot be run', ['vmlinux', '--', '/etc/passwd'], 126],
    ['of a command that a signal ends', ['vmlinux', '--', 'sh', '-c', 'kill -9 $$'], 137],
    ['of a missing id', ['2147483000', '--', 'true'], 3],
    ['of a missing name', ['no_such_module', '--', 'true'], 3],
    ['of usage errors for a file', ['./file', '--', 'true'], 2],
  ] as const)('hold has the exit code %s', async (_, args, status) => {
    expect((await daemon.run('hold', ...args)).status).toBe(status);
  });

  test('hold names a module that does not exist', async () => {
    const { stderr } = await daemon.run('hold', 'no_such_module', '--', 'true');
    expect(stderr).toMatch(/^btfctl: the kernel has no BTF object named "no_such_module"\nhint: /);
  });

  test.each(['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const)(
    'hold passes on %s, and holds until its command ends',
    async (signal) => {
      const script = `trap "echo asked; exit 5" ${signal.slice(3)}; echo ready; while :; do sleep 0.1; done`;
      await using holding = new Btfctl(['hold', 'vmlinux', '--', 'sh', '-c', script], daemon.env);
      await until('the command runs', () => holding.stdout.includes('ready'));
      holding.kill(signal);
      expect(await holding.end()).toMatchObject({ status: 5, stdout: 'ready\nasked\n' });
    },
  );

  test.each([
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
  ] as const)('hold has the exit code of shells if %s ends its command', async (signal, status) => {
    await using holding = new Btfctl(
      ['hold', 'vmlinux', '--', 'sh', '-c', 'echo ready; exec sleep 60'],
      daemon.env,
    );
    await until('the command runs', () => holding.stdout.includes('ready'));
    holding.kill(signal);
    expect(await holding.end()).toMatchObject({ status, stdout: 'ready\n', stderr: '' });
  });

  test('hold passes on every signal, and holds for a command that survives it', async () => {
    const script =
      'n=0; trap "n=\\$((n+1)); echo \\$n" INT; echo ready; while [ $n -lt 2 ]; do sleep 0.1; done; exit 6';
    await using holding = new Btfctl(['hold', 'vmlinux', '--', 'sh', '-c', script], daemon.env);
    for (const printed of ['ready\n', 'ready\n1\n']) {
      await until('the command has printed it', () => holding.stdout === printed);
      holding.kill('SIGINT');
    }
    expect(await holding.end()).toMatchObject({ status: 6, stdout: 'ready\n1\n2\n' });
  });

  test('watch shows the objects that exist, come and go, until it is interrupted', async () => {
    await using watch = new Btfctl(['watch', '-o', 'json'], daemon.env);
    const events = (): { event: string; object?: { id: number } }[] =>
      watch.stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line));
    await until('it knows what is there', () => events().some(({ event }) => event === 'synced'));
    expect(events()[0]).toMatchObject({ event: 'present', object: { name: 'vmlinux' } });
    const held = await daemon.hold();
    await using table = new Btfctl(['watch', '--origin', 'user', '--new'], daemon.env);
    const eventsOf = (id: number): string[] =>
      events().flatMap(({ event, object }) => (object?.id === id ? [event] : []));
    await until('it came', () => eventsOf(held.id).includes('added'));
    await until('the table has begun', () => table.stdout !== '');
    await held.end();
    await until('it went', () => eventsOf(held.id).includes('removed'));
    expect(eventsOf(held.id)).toEqual(['added', 'removed']);
    for (const event of watch.stdout.trimEnd().split('\n')) {
      expect(schemaErrors('watch-event', event)).toEqual([]);
    }
    await using again = await daemon.hold();
    const row = new RegExp(`^added +${again.id} +80  user +-$`, 'm');
    await until('the table shows it', () => row.test(table.stdout));
    expect(table.stdout).not.toContain('present');
    for (const running of [watch, table]) {
      running.kill('SIGINT');
      expect(await running.end()).toMatchObject({ status: 0, stderr: '' });
    }
  });
});
