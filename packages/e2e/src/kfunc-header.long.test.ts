import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { needs } from 'test-tools';
import { btfctl } from './testing/btfctl.js';

const PROGRAM = `
#include "vmlinux.h"
#define SEC(n) __attribute__((section(n), used))
SEC("tp_btf/sys_enter") int prog(void *ctx) {
  struct task_struct *task = bpf_task_from_pid(1);
  struct task_struct *other = task ? bpf_task_acquire(task) : 0;
  if (other) bpf_task_release(other);
  if (task) bpf_task_release(task);
  return 0;
}
char gpl[] SEC("license") = "GPL";
`;

needs('bpf', 'vmlinux', 'bpftool', 'clang').test(
  'a program that calls kfuncs compiles with the header, and the kernel loads it',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'btfd-kfunc-'));
    const pin = `/sys/fs/bpf/btfd-kfunc-${process.pid}`;
    try {
      const header = await btfctl(['header', '/sys/kernel/btf/vmlinux'], {});
      writeFileSync(join(folder, 'vmlinux.h'), header.stdout);
      writeFileSync(join(folder, 'prog.bpf.c'), PROGRAM);
      const clang = ['-target', 'bpf', '-O2', '-g', '-c', 'prog.bpf.c', '-o', 'prog.bpf.o'];
      const compiled = execFileSync('clang', clang, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
      expect(compiled).toBe('');
      execFileSync('bpftool', ['prog', 'load', 'prog.bpf.o', pin], { cwd: folder, stdio: 'pipe' });
      const shown = execFileSync('bpftool', ['-j', 'prog', 'show', 'pinned', pin], { encoding: 'utf8' });
      expect(JSON.parse(shown)).toMatchObject({ name: 'prog', type: 'tracing' });
    } finally {
      rmSync(pin, { force: true });
      rmSync(folder, { recursive: true });
    }
  },
);
