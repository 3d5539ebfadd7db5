import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { openShell, SHELL_TOOLS, SHELLS } from './testing/completing-shell.js';
import { DaemonProcess } from './testing/daemon-process.js';
import type { Terminal } from './testing/terminal.js';

/** Lines, and what Tab makes of them in each shell. */
const LINES: readonly (readonly [typed: string, completed: string])[] = [
  // Words of the grammar.
  ['btfctl lay', 'btfctl layout '],
  ['btfctl --output=y', 'btfctl --output=yaml '],
  ['btfctl header vmlinux -o y', 'btfctl header vmlinux -o y'],
  ['btfctl hold vmlinux -- ls /etc/hostn', 'btfctl hold vmlinux -- ls /etc/hostname '],
  ['btfctl hold vmlinux -- mktem', 'btfctl hold vmlinux -- mktemp '],
  // Objects.
  ['btfctl list vml', 'btfctl list vmlinux '],
  // Types and members.
  ['btfctl layout "struct list_hea', 'btfctl layout "struct list_head" '],
  ['btfctl layout struct\\ list_hea', 'btfctl layout struct\\ list_head '],
  ['btfctl member list_hea', 'btfctl member list_head.'],
  ['btfctl member task_struct.exit_cod', 'btfctl member task_struct.exit_code '],
  ['btfctl member "task_struct->exit_cod', 'btfctl member "task_struct->exit_code" '],
  // Files, and only where they belong.
  ['btfctl check a', 'btfctl check a\\ file.btf '],
  ['btfctl --config=a', 'btfctl --config=a\\ file.btf '],
  ['btfctl dump su', 'btfctl dump sub/'],
  ['btfctl dump sub/', 'btfctl dump sub/x.bpf.o '],
  ['btfctl dump vmlinux > note', 'btfctl dump vmlinux > notes.txt '],
  ['btfctl compat only.btf --min-btf ', 'btfctl compat only.btf --min-btf sub/'],
  ['btfctl -a unix:note', 'btfctl -a unix:notes.txt '],
  ['btfctl list note', 'btfctl list note'],
  ['btfctl watch note', 'btfctl watch note'],
  // The config file.
  ['btfctl --config c.yaml context use nod', 'btfctl --config c.yaml context use node7 '],
  ['btfctl --config c.yaml dump @node7/vml', 'btfctl --config c.yaml dump @node7/vmlinux '],
];

describe.each(SHELLS)('%s', (shell) => {
  needs('bpf', 'tmux', ...SHELL_TOOLS[shell]).describe('completes:', () => {
    let dir: string;
    let daemon: DaemonProcess;
    let terminal: Terminal;

    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), 'btfctl-completion-'));
      mkdirSync(join(dir, 'sub'));
      for (const name of ['a file.btf', 'only.btf', 'notes.txt', 'sub/x.bpf.o'])
        writeFileSync(join(dir, name), '');
      daemon = await DaemonProcess.start();
      writeFileSync(join(dir, 'c.yaml'), `contexts: { node7: { address: "${daemon.address}" } }\n`);
      terminal = await openShell(shell, dir, { BTFD_ADDRESS: daemon.address });
    });
    afterAll(async () => {
      await terminal[Symbol.asyncDispose]();
      await daemon[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true });
    });

    test.each(LINES)('%s', async (typed, completed) => {
      expect(await terminal.tab(typed)).toBe(completed);
    });
  });
});
