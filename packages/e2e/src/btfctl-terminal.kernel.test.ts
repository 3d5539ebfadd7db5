import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { FakeDaemon } from '@btfd/client/testing';
import { btfIds } from './testing/bpftool.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { refusedBtf } from './testing/sample-btf.js';
import { Terminal, type TerminalOptions } from './testing/terminal.js';
import { until } from './testing/until.js';

const PROGRAM = fileURLToPath(new URL('../testdata/btf/program.bpf.o', import.meta.url));
const BASH = 'bash --norc --noprofile -i';

/** The start of the escape sequences that colour text. */
const COLORED = '\u001B[';

needs('bpf', 'tmux').describe('btfctl on a terminal', () => {
  let daemon: DaemonProcess;

  beforeAll(async () => {
    daemon = await DaemonProcess.start();
  });
  afterAll(() => daemon[Symbol.asyncDispose]());

  const open = ({ env = {}, ...options }: TerminalOptions = {}, shell = BASH): Terminal =>
    new Terminal(shell, { ...options, env: { BTFD_ADDRESS: daemon.address, ...env } });

  test('a table fits the terminal, its headings in bold and its names in colour', async () => {
    await using terminal = open({ columns: 60 });
    terminal.type('btfctl find tcp_v4_connect --in vmlinux -o wide', 'Enter');
    const screen = await terminal.shows(/DECLARATION[^]*\n\$$/);
    const rows = screen.split('\n').filter((line) => /OBJECT|vmlinux {2}\d/.test(line));
    expect(rows).toHaveLength(2);
    expect(rows[1]).toMatch(/^vmlinux  \d+  func  tcp_v4_connect +-  int tcp_v.*…$/);
    expect(rows.every((row) => row.length <= 60)).toBe(true);
    expect(terminal.colors()).toContain('\u001B[1mOBJECT');
    expect(terminal.colors()).toContain('\u001B[36mtcp_v4_connect');
  });

  test.each([
    ['NO_COLOR is set', { NO_COLOR: '1' }, ''],
    ['--color never says so', {}, ' --color never'],
    ['the output is a pipe', {}, ' | cat'],
  ])('there are no colours if %s', async (_, env, words) => {
    await using terminal = open({ env });
    terminal.type(
      `btfctl layout sock_common --no-pager${words} | tail -3`.replace(' | cat | tail', ' | tail'),
      'Enter',
    );
    terminal.type(`btfctl list vmlinux${words}`, 'Enter');
    await terminal.shows(/BYTES\n.*vmlinux.*\n\$$/);
    expect(terminal.colors()).not.toContain(COLORED);
  });

  test('a struct is drawn in colour, its holes too', async () => {
    await using terminal = open({ rows: 50 });
    terminal.type(`btfctl layout item --in ${PROGRAM}`, 'Enter');
    await terminal.shows(/hole of 4 bytes[^]*\n\$$/);
    const colors = terminal.colors();
    // White on blue, white on red, black on cyan.
    expect(colors).toContain('\u001B[37m\u001B[44m▏a··');
    expect(colors).toContain('\u001B[41m░░░░');
    expect(colors).toContain('\u001B[46m▏b');
  });

  needs('less').test('long output is paged, and leaving the pager ends the command', async () => {
    await using terminal = open();
    terminal.type('btfctl dump vmlinux', 'Enter');
    await terminal.shows(/^\[1\] [^]*\n:/m);
    terminal.type('q');
    await terminal.shows(/\n\$$/);
    terminal.type('echo "ended with $?"', 'Enter');
    await terminal.shows(/\nended with 0\n/);
  });

  test('neither short output nor long output with --no-pager is paged', async () => {
    await using terminal = open({ env: { PAGER: 'sed "s/^/paged /"' } });
    terminal.type('btfctl list vmlinux; btfctl info', 'Enter');
    await terminal.shows(/hold-kernel\n\$$/);
    terminal.type(
      'btfctl layout task_struct --no-pager | tail -2; btfctl layout task_struct --no-pager',
      'Enter',
    );
    await terminal.shows(/\n\$$/);
    expect(terminal.screen()).not.toContain('paged');
    terminal.type('clear; btfctl layout task_struct', 'Enter');
    await terminal.shows(/^paged .*\n\$$/m);
  });

  test.each(['check', 'load'])(
    '%s of refused BTF shows the end of the log, or with --log all of it',
    async (command) => {
      const dir = mkdtempSync(join(tmpdir(), 'btfctl-refused-'));
      try {
        const path = join(dir, 'bad.btf');
        writeFileSync(path, refusedBtf(40, 'number'));
        await using terminal = open({ rows: 100 });
        terminal.type(`btfctl ${command} ${path}`, 'Enter');
        const short = await terminal.shows(
          /lines before these: --log prints them\)[^]*\[40\] Invalid kind:0/,
        );
        expect(short).toMatch(/BTF refused with EINVAL\n/);
        expect(short).toContain('[39] INT number');
        expect(short).not.toContain('[2] INT number');
        terminal.type(`btfctl ${command} ${path} --log`, 'Enter');
        await terminal.shows(/\[2\] INT number[^]*\[40\] Invalid kind:0/);
      } finally {
        rmSync(dir, { recursive: true });
      }
    },
  );

  test('a control sequence in a name has no effect', async () => {
    await using terminal = open();
    terminal.type(`btfctl list $'a\\ecb'`, 'Enter');
    await terminal.shows(/no BTF object matches a\uFFFDcb/);
    expect(terminal.colors()).not.toContain('a\u001B');
  });

  test('a slow transfer shows its progress, and clears it', async () => {
    const btf = readFileSync('/sys/kernel/btf/vmlinux');
    await using slow = await FakeDaemon.start({ objects: [{ name: 'vmlinux', btf }], chunkDelay: 100 });
    await using terminal = open({ env: { BTFD_ADDRESS: slow.address } });
    terminal.type('clear; btfctl find task_struct --in vmlinux', 'Enter');
    const screen = await terminal.shows(/MB\/s/);
    expect(screen).toMatch(/^vmlinux  █+░+  [\d.]+\/[\d.]+ MB  [\d.]+ MB\/s$/m);
    await terminal.shows(/BYTES\n.*task_struct.*\n\$$/);
    expect(terminal.screen()).not.toContain('MB');
    terminal.type('rm -r ~/.cache; clear; btfctl find task_struct --in vmlinux --quiet', 'Enter');
    await setTimeout(1_500);
    expect(terminal.screen()).not.toContain('MB');
    await terminal.shows(/BYTES\n.*task_struct.*\n\$$/);
  });

  test('Ctrl-C ends what load holds', async () => {
    await using terminal = open();
    terminal.type(`btfctl load ${PROGRAM}`, 'Enter');
    await terminal.shows(/held until Ctrl-C/);
    terminal.type('C-c');
    await terminal.shows(/\^C\$$/);
    terminal.type('echo "ended with $?"', 'Enter');
    await terminal.shows(/\nended with 0\n/);
  });

  test('closing the terminal ends what load holds, by SIGHUP and without a core file', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'btfctl-hang-up-'));
    const status = join(dir, 'status');
    const terminal = open();
    // By a short path, so that the terminal does not break the line within the id.
    const program = join(dir, 'p.o');
    copyFileSync(PROGRAM, program);
    terminal.type(`(trap "" HUP; btfctl load ${program}; echo $? > ${status})`, 'Enter');
    const [, id] = /as BTF id (\d+)/.exec(await terminal.shows(/held until Ctrl-C/)) ?? [];
    expect(btfIds()).toContain(Number(id));
    await terminal[Symbol.asyncDispose]();
    await until('it has ended', () => existsSync(status) && readFileSync(status, 'utf8') !== '');
    expect(readFileSync(status, 'utf8')).toBe('129\n');
    // The daemon closes it when it hears of its client's end.
    await until('the object is gone', () => !btfIds().includes(Number(id)));
    rmSync(dir, { recursive: true });
  });
});
