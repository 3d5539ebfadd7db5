import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname, version } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Spec } from '@btfd/btf';
import { FakeDaemon } from '@btfd/client/testing';
import { btfList } from './testing/bpftool.js';
import { Btfctl, btfctl, type Ran } from './testing/btfctl.js';
import { BtfUser } from './testing/btf-user.js';
import { BtfctlDaemon } from './testing/btfctl-daemon.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { HeldObject } from './testing/held-object.js';
import { hintedCommand } from './testing/hint.js';
import { schemaErrors } from './testing/json-schema.js';
import { rawBtf } from './testing/sample-btf.js';
import { until } from './testing/until.js';

const PROGRAM = fileURLToPath(new URL('../testdata/btf/program.bpf.o', import.meta.url));

/** Two structs of one name. */
const DUPLICATES = fileURLToPath(new URL('../../btf/src/query/testdata/dupts.btf', import.meta.url));

needs('bpf').describe('btfctl', () => {
  let daemon: BtfctlDaemon;

  beforeAll(async () => {
    daemon = await BtfctlDaemon.start();
  });
  afterAll(async () => daemon[Symbol.asyncDispose]());

  /** The JSON of a command, which its schema must describe. */
  async function json(schema: string, ...args: string[]): Promise<unknown> {
    const { stdout } = await daemon.run(...args, '-o', 'json');
    expect(schemaErrors(schema, stdout)).toEqual([]);
    return JSON.parse(stdout);
  }

  needs('bpftool').test('list shows the same as bpftool', async () => {
    await using user = await BtfUser.start();
    const theirs = btfList();
    const ours = await json('list', 'list');
    for (const id of [user.facts.btfId, theirs.find(({ name }) => name === 'vmlinux')?.id]) {
      const { pids: _, ...object } = theirs.find((one) => one.id === id) ?? { pids: [] };
      expect(ours).toContainEqual(expect.objectContaining(object));
    }
    const { pid, command } = user.facts;
    expect(ours).toContainEqual(
      expect.objectContaining({
        id: user.facts.btfId,
        pids: expect.arrayContaining([{ pid, comm: command }]),
      }),
    );
    const { stdout } = await daemon.run('list', '-o', 'wide');
    expect(stdout).toMatch(/^ *ID  NAME +ORIGIN +BYTES +PROGRAMS +MAPS +PROCESSES$/m);
    const row = stdout.split('\n').find((line) => line.trim().startsWith(`${user.facts.btfId} `));
    expect(row).toContain(`${user.facts.program.name}(${user.facts.program.id})`);
    expect(row).toContain(`${user.facts.map.name}(${user.facts.map.id})`);
    expect(row).toContain(`${command}(${pid})`);
  });

  test('show is list, which takes names, globs, ids and origins', async () => {
    const table = /^ID  NAME {5}ORIGIN +BYTES\n +\d+  vmlinux  vmlinux  [\d,]+\n$/;
    expect((await daemon.run('show', 'vmlinux')).stdout).toMatch(table);
    expect((await daemon.run('list', 'vm*', '--origin', 'vmlinux')).stdout).toMatch(table);
    expect((await daemon.run('list', '-o', 'name', 'vmlinux')).stdout).toBe('vmlinux\n');
    await using held = await daemon.hold();
    const { id } = held;
    expect((await daemon.run('list', '-o', 'name', `id:${id}`)).stdout).toBe(`id:${id}\n`);
    expect((await daemon.run('list', '-o', 'name', 'id', String(id))).stdout).toBe(`id:${id}\n`);
    expect(await daemon.run('list', 'nothing*')).toMatchObject({ status: 3, stdout: '' });
  });

  test('list --digest shows the same SHA-256 as other tools', async () => {
    const digest = createHash('sha256').update(readFileSync('/sys/kernel/btf/vmlinux')).digest('hex');
    expect(await json('list', 'list', 'vmlinux', '--digest')).toMatchObject([{ name: 'vmlinux', digest }]);
    expect((await daemon.run('list', 'vmlinux', '--digest')).stdout).toContain(digest);
  });

  test('info shows the daemon and its kernel', async () => {
    const release = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
    expect(await json('info', 'info')).toMatchObject({
      address: daemon.process.address,
      kernel_release: release,
      kernel_version: version(),
      node_name: hostname(),
      kernel_digest: createHash('sha256').update(readFileSync('/sys/kernel/btf/vmlinux')).digest('hex'),
      module_count: readdirSync('/sys/kernel/btf').length - 1,
      caller: { principal: 'uid:0', role: 'loader' },
      // This kernel's own BTF has functions.
      features: expect.arrayContaining([{ feature: 'func', supported: true }]),
    });
    const { stdout } = await daemon.run('info');
    expect(stdout).toMatch(/^you +uid:0, loader: sees all objects, and loads BTF$/m);
    expect(stdout).toMatch(/^features +all \d+( but [a-z, -]+)?$/m);
    expect(stdout).toContain(`Linux ${release}`);
    expect(stdout).toMatch(/yes {2}open-by-id/);
    expect((await daemon.run('info', '-o', 'yaml')).stdout).toContain(`kernel_release: ${release}\n`);
  });

  test('a name without an object or type is reported after the others', async () => {
    for (const [command, name, missing] of [
      ['list', 'vmlinux', 'no BTF object matches absent, id:4294967295'],
      ['find', 'list_head', 'there is no type named absent, id:4294967295'],
    ] as const) {
      expect(await daemon.run(command, name, 'absent', 'id:4294967295', '-o', 'name')).toEqual({
        status: 3,
        stdout: `${name}\n`,
        stderr: `btfctl: ${missing}\n`,
      });
    }
    expect((await daemon.run('list', 'id', '4294967295')).stderr).toContain(
      'no BTF object matches id:4294967295\n',
    );
  });

  test('find shows the objects that have a type', async () => {
    await using held = await daemon.hold();
    const found = await json('find', 'find', 'list_head', 'numb?r');
    const vmlinux = Spec.parse(readFileSync('/sys/kernel/btf/vmlinux'));
    const type = vmlinux.typesByName('list_head').find(({ kind }) => kind === 'STRUCT');
    expect(found).toContainEqual({
      object: 'vmlinux',
      id: type?.id,
      kind: 'STRUCT',
      name: 'list_head',
      size: 16,
      declaration: 'struct list_head',
    });
    expect(found).toContainEqual(expect.objectContaining({ object: `id:${held.id}`, name: 'number', id: 3 }));
    const wide = await daemon.run('find', 'tcp_v4_connect', '--in', 'vmlinux', '-o', 'wide');
    expect(wide.stdout).toMatch(/func +tcp_v4_connect +- +int tcp_v4_connect\(struct sock \*sk, /);
    expect((await daemon.run('find', 'list_h*d', '--kind', 'func', '--in', 'vmlinux')).status).toBe(3);
    expect(await daemon.run('find', 'no_such_type', '--in', 'vmlinux')).toMatchObject({
      status: 3,
      stdout: '',
      stderr: expect.stringContaining('no type named no_such_type'),
    });
  });

  test('member shows offset, bits and type, and continues after a path without a member', async () => {
    const paths = ['list_head.prev', 'task_struct.mm.pgd', 'task_struct.nothing'];
    const ran = await daemon.run('member', ...paths);
    expect(ran.status).toBe(3);
    expect(ran.stdout).toMatch(/^list_head\.prev +8 +64  struct list_head \*$/m);
    expect(ran.stdout).toMatch(/^task_struct\.mm\.pgd  [\d,]+ → [\d,]+ +64  pgd_t \*$/m);
    expect(ran.stderr).toContain('no such member');
    expect(await json('member', 'member', ...paths)).toMatchObject([
      { path: 'list_head.prev', bits_offset: 64, nr_bits: 64, dereferences: [] },
      { path: 'task_struct.mm.pgd', dereferences: [{ tags: [] }] },
      { path: 'task_struct.nothing', error: expect.stringContaining('no such member') },
    ]);
    // The library gives the same result as a daemon.
    expect(await json('member', 'member', '--in', '/sys/kernel/btf/vmlinux', ...paths)).toEqual(
      await json('member', 'member', ...paths),
    );
    expect((await daemon.run('member', '-o', 'name', 'list_head.next')).status).toBe(0);
  });

  test('member of an object with several types of one name is the same as that of the file', async () => {
    await using held = await HeldObject.load(DUPLICATES, daemon.env);
    const paths = ['task_struct.pid', 'task_struct.ns', '7.ns', 'task_struct.nothing', 'nothing.x', '99.x'];
    const members = await json('member', 'member', '--in', `id:${held.id}`, ...paths);
    expect(members).toEqual(await json('member', 'member', '--in', DUPLICATES, ...paths));
    expect(members).toMatchObject([
      { container_id: 5 },
      { candidate_count: 2 },
      { container_id: 7 },
      {},
      {},
      {},
    ]);
    const table = async (spec: string): Promise<string> =>
      (await daemon.run('member', '--in', spec, 'task_struct.ns')).stderr;
    expect(await table(`id:${held.id}`)).toBe(await table(DUPLICATES));
  });

  test('member shows as many types as a daemon sends, and how to list all of them', async () => {
    const file = join(daemon.dir, 'many.btf');
    // An int, and structs `s` of 64 bytes with a member `m` at different places.
    const structs = Array.from({ length: 40 }, (_, i) => [
      [3, (4 << 24) | 1, 64],
      [5, 1, 8 * i],
    ]).flat(2);
    writeFileSync(file, rawBtf([1, 1 << 24, 4, 32, ...structs], '\0i\0s\0m\0'));
    await using held = await HeldObject.load(file, daemon.env);
    const ran = await daemon.run('member', '--in', `id:${held.id}`, 's.m');
    const rows = ran.stderr.split('\n').filter((line) => /^ {2}\d+\.m  struct s /.test(line));
    expect(ran.stderr).toContain('s.m differs in 40 types of one name');
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.length).toBeLessThan(40);
    const listed = await daemon.run(...hintedCommand(ran));
    expect(listed.stdout.match(/ struct  s /g)).toHaveLength(40);
  });

  test('check shows the log of the kernel, and keeps nothing', async () => {
    const good = daemon.good;
    expect(await daemon.run('check', good)).toMatchObject({
      status: 0,
      stdout: `${good}: BTF accepted, 3 types in 80 bytes\n`,
    });
    const refused = await daemon.run('check', daemon.bad);
    expect(refused.status).toBe(4);
    expect(refused.stdout).toContain('BTF refused with EINVAL');
    expect(refused.stdout).toContain('[3] Invalid kind:0');
    expect(await json('check', 'check', daemon.bad)).toMatchObject({ accepted: false, errno: 22 });
    expect(await json('check', 'check', good)).toEqual({ file: good, checked: 'BTF', accepted: true });
    await until('nothing is held', () => daemon.process.btfFds() === 0);
  });

  test('check and load complete the sections of an object file', async () => {
    expect(await daemon.run('check', PROGRAM)).toMatchObject({ status: 0, stderr: '' });
    await using load = new Btfctl(['load', PROGRAM, '-o', 'json'], daemon.env);
    await until('it is loaded', () => load.stdout.includes('}'));
    const { id } = JSON.parse(load.stdout);
    const { stdout } = await daemon.run('dump', `id:${id}`, '--type', '.maps');
    // From the symbol table: `second` comes after `first`, 32 bytes each.
    expect(stdout).toMatch(
      /DATASEC '\.maps' size=64 vlen=2\n.* offset=0 size=32 \(VAR 'first'\)\n.* offset=32 size=32 /,
    );
    load.kill('SIGINT');
    await load.end();
  });

  test.each([
    ['an unknown object', ['list', 'nothing']],
    ['an unknown id', ['hold', '2147483000', '--', 'true']],
    ['an unknown name', ['dump', 'no_such_module']],
  ])('the command in the hint for %s works', async (_, args) => {
    const ran = await daemon.run(...args);
    expect(ran.status).toBe(3);
    expect(await daemon.run(...hintedCommand(ran))).toMatchObject({ status: 0 });
  });

  test('a node and its kernel in a file do not differ', async () => {
    const ran = await daemon.run('diff', 'vmlinux', '/sys/kernel/btf/vmlinux');
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(ran.stdout).toMatch(/^0 removed, 0 added, 0 changed, \d\d,\d{3} the same$/m);
    const other = await daemon.run('diff', `@${daemon.process.address}`, 'vmlinux', '--kind', 'struct');
    expect(other.stdout).toMatch(/^0 removed, 0 added, 0 changed, [\d,]+ the same$/m);
  });

  test('contexts name nodes, in a config file that btfctl changes', async () => {
    const config = join(daemon.dir, 'config', 'config.yaml');
    const withConfig = (...args: string[]): Promise<Ran> => btfctl(args, { BTFCTL_CONFIG: config });
    expect((await withConfig('context', 'use', 'here')).status).toBe(3);
    const set = await withConfig('context', 'set', 'here', '--address', daemon.process.address);
    expect(set).toMatchObject({ status: 0, stdout: '' });
    expect((await withConfig('context', 'use', 'here')).status).toBe(0);
    writeFileSync(config, `# Ours.\n${readFileSync(config, 'utf8')}`);
    await withConfig('context', 'set', 'away', '-a', 'web1.example:7443', '--tls-ca', 'ca.pem');
    expect(readFileSync(config, 'utf8')).toMatch(/^# Ours\.\n/);
    const { stdout } = await withConfig('context', 'list', '-o', 'json');
    expect(schemaErrors('context-list', stdout)).toEqual([]);
    expect(JSON.parse(stdout)).toEqual([
      { name: 'here', address: daemon.process.address, tls: false, current: true },
      { name: 'away', address: 'web1.example:7443', tls: true, current: false },
    ]);
    expect((await withConfig('list', '-o', 'name', 'vmlinux')).stdout).toBe('vmlinux\n');
    expect((await withConfig('dump', '@here/vmlinux', '--type', 'list_head')).stdout).toContain("'next'");
    expect((await withConfig('context', 'remove', 'here')).status).toBe(0);
    expect((await withConfig('context', 'list', '-o', 'name')).stdout).toBe('away\n');
  });

  test('version has the version of the package', async () => {
    expect(await json('version', 'version')).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    });
    expect((await daemon.run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('a daemon that takes longer than --timeout is given up', async () => {
    const btf = readFileSync('/sys/kernel/btf/vmlinux');
    await using slow = await FakeDaemon.start({ objects: [{ name: 'vmlinux', btf }], chunkDelay: 1_000 });
    const cut = await btfctl(['dump', 'vmlinux', '--timeout', '1500ms'], {
      BTFD_ADDRESS: slow.address,
      XDG_CACHE_HOME: join(daemon.dir, 'cache'),
    });
    expect([cut.status, cut.stdout.length]).toEqual([6, 0]);
    expect(cut.stderr).toMatch(
      /^btfctl: the daemon at \S+ took longer than --timeout allows\nhint: .*--timeout 1m\n$/,
    );
    // A daemon that accepts the connection and sends nothing.
    const silent = createServer().listen(join(daemon.dir, 'silent.sock'));
    try {
      for (const words of [['list'], ['watch'], ['hold', 'vmlinux', '--', 'true']]) {
        const ran = await btfctl([
          '--timeout',
          '1s',
          '-a',
          `unix:${join(daemon.dir, 'silent.sock')}`,
          ...words,
        ]);
        expect(ran).toMatchObject({ status: 6, stdout: '' });
        expect(ran.stderr).toContain('--timeout 1m');
      }
    } finally {
      silent.close();
    }
  });

  test('Ctrl-C ends a command silently, with its own exit code', async () => {
    await using slow = new Btfctl(['find', '*', '--quiet'], daemon.env);
    await until('it has begun', () => daemon.process.btfFds() > 0);
    slow.kill('SIGINT');
    expect(await slow.end()).toEqual({ status: 130, stdout: '', stderr: '' });
    await until('nothing is held', () => daemon.process.btfFds() === 0);
  });

  needs('setpriv').test(
    'a daemon without CAP_SYS_ADMIN lists and reads what it can, and says why not the rest',
    async () => {
      await using weak = await DaemonProcess.start({ wrapper: ['setpriv', '--bounding-set', '-all', '--'] });
      const weakEnv = { BTFD_ADDRESS: weak.address };
      const list = await btfctl(['list', '-o', 'json'], weakEnv);
      expect(schemaErrors('list', list.stdout)).toEqual([]);
      expect(list).toMatchObject({ status: 0, stderr: expect.stringContaining('users are not shown: ') });
      expect((await btfctl(['find', 'list_head', '-o', 'name'], weakEnv)).stdout).toBe('list_head\n');
      const info = await btfctl(['info'], weakEnv);
      expect(info.stdout).toMatch(/no {3}open-by-id +.*CAP_SYS_ADMIN/);
      expect(info.stdout).toMatch(/^features +unknown, because the daemon cannot load BTF$/m);
      const load = await btfctl(['load', daemon.good], weakEnv);
      expect(load.status).toBe(7);
      expect(load.stderr).toMatch(
        /^btfctl: the daemon lacks CAP_BPF.*\nhint: run btfd as root, or with CAP_SYS_ADMIN/,
      );
      expect(await btfctl(hintedCommand(load), weakEnv)).toMatchObject({ status: 0 });
    },
  );
});
