import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Builder } from '@btfd/btf';
import { FakeDaemon } from '@btfd/client/testing';
import { btfIds } from './testing/bpftool.js';
import { btfctl } from './testing/btfctl.js';
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

  test('bash completes commands, options, their values, objects, types and contexts', async () => {
    await using terminal = open({ env: { BTFCTL_CONFIG: '/nonexistent/config.yaml' } });
    await terminal.setUp('source <(btfctl completion bash)');
    const completes = async (typed: string, shown: RegExp): Promise<void> => {
      terminal.type(typed);
      await terminal.completes(shown);
      terminal.type('C-u', 'C-l');
    };
    await completes('btfctl lay', /^\$ btfctl layout$/m);
    await completes('btfctl dump --form', /^\$ btfctl dump --format$/m);
    await completes('btfctl dump vmlinux --format la', /--format layout$/m);
    await completes('btfctl -o y', /^\$ btfctl -o yaml$/m);
    // `header` does not print YAML, so nothing is completed, and the next key follows at once.
    terminal.type('btfctl header vmlinux -o y', 'Tab', 'x');
    await terminal.shows(/-o yx$/m);
    terminal.type('C-u', 'C-l');
    await completes('btfctl list vml', /^\$ btfctl list vmlinux$/m);
    await completes('btfctl layout task_stru', /^\$ btfctl layout task_struct$/m);
    await completes('btfctl context us', /^\$ btfctl context use$/m);
    await completes('btfctl hold vmlinux -- /etc/hostn', /-- \/etc\/hostname$/m);
  });

  test('bash completes after an address, and does not run commands in the names of objects', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'btfctl-completion-'));
    const btf = new Builder().marshal();
    await using fake = await FakeDaemon.start({
      objects: [
        { name: 'mod_a', btf },
        { name: `mod_$(touch\${IFS}${dir}/run)`, btf },
      ],
    });
    await using terminal = open({ env: { BTFD_CONFIG: '/nonexistent/config.yaml', BTFD_ADDRESS: '' } });
    await terminal.setUp('source <(btfctl completion bash)');
    terminal.type(`btfctl --address ${fake.address} dump mo`);
    await terminal.completes(/dump mod_a$/m);
    expect(readdirSync(dir)).toEqual([]);
    rmSync(dir, { recursive: true });
  });

  needs('zsh', 'fish').test('zsh and fish complete too', async () => {
    await using zsh = open({}, 'zsh -f -i');
    await zsh.setUp('PS1="$ "; autoload -U compinit; compinit -u -D; source <(btfctl completion zsh)');
    zsh.type('btfctl layo', 'Tab');
    await zsh.shows(/^\$ btfctl layout/m);
    zsh.type('task_stru');
    await zsh.completes(/^\$ btfctl layout task_struct/m);
    zsh.type('C-u', 'btfctl dump vmlinux --format la', 'Tab');
    await zsh.shows(/--format layout/);
    zsh.type('C-u', 'btfctl header vmlinux -o y', 'Tab', 'x');
    await zsh.shows(/-o yx/);
    await using fish = open({}, 'fish --no-config -i');
    await fish.setUp('function fish_prompt; echo "> "; end; btfctl completion fish | source');
    fish.type('btfctl layo', 'Tab');
    await fish.shows(/^> btfctl layout/m);
    fish.type('task_stru');
    await fish.completes(/^> btfctl layout task_struct/m);
    fish.type('C-u', 'btfctl header vmlinux -o y', 'Tab', 'x');
    await fish.shows(/-o yx/);
  });

  needs('zsh', 'fish').test(
    'each shell completes contexts of the config file in --config, and file names with spaces',
    async () => {
      const dir = mkdtempSync(join(tmpdir(), 'btfctl-completion-'));
      const config = join(dir, 'c.yaml');
      writeFileSync(config, 'contexts: { node7: { address: "x:1" } }\n');
      writeFileSync(join(dir, 'a file.btf'), '');
      for (const [shell, setUp] of [
        [BASH, 'source <(btfctl completion bash)'],
        ['zsh -f -i', 'PS1="$ "; autoload -U compinit; compinit -u -D; source <(btfctl completion zsh)'],
        ['fish --no-config -i', "function fish_prompt; echo '$ '; end; btfctl completion fish | source"],
      ] as const) {
        await using terminal = open({}, shell);
        await terminal.setUp(`${setUp}; cd ${dir}`);
        terminal.type('btfctl --config c.yaml context use no', 'Tab');
        await terminal.shows(/ context use node7/);
        terminal.type('C-u', 'btfctl check a', 'Tab');
        await terminal.shows(/check a\\ file\.btf/);
      }
      rmSync(dir, { recursive: true });
    },
  );
});

describe.each(['bash', 'zsh', 'fish'] as const)('the completion script for %s', (shell) => {
  needs(...(shell === 'bash' ? [] : [shell])).test('has no syntax errors', async () => {
    const { stdout, status } = await btfctl(['completion', shell]);
    expect(status).toBe(0);
    const dir = mkdtempSync(join(tmpdir(), 'btfctl-completion-'));
    try {
      writeFileSync(join(dir, 'script'), stdout);
      execFileSync(shell, ['-n', join(dir, 'script')]);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
