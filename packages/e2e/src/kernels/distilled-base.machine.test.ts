import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { type Distilled, distillBase, readElfBtf, relocateSplit, Spec, toBpftoolJson } from '@btfd/btf';
import { needs } from 'test-tools';
import { KERNELS } from './kernel-table.js';
import { Machine } from './machine.js';

/** Modules that need no other module. */
const MODULES = ['dummy', 'veth', 'fuse'];

/** The series to boot. Default: all. */
const wanted = process.env['BTFD_KERNELS']?.split(',') ?? KERNELS.map(({ series }) => series);

/** Whether kernels of a series move modules from a distilled base (6.11). */
function movesModules(series: string): boolean {
  const [major = 0, minor = 0] = series.split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 11);
}

/** Replaces the BTF of a module by a distilled one. The kernel takes a module without its signature. */
function withDistilledBase(module: Uint8Array, { bytes, baseBytes }: Distilled): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'module-'));
  const path = (name: string): string => join(folder, name);
  try {
    writeFileSync(path('in.ko'), module);
    writeFileSync(path('btf'), bytes);
    writeFileSync(path('base'), baseBytes);
    const sections = [
      '--update-section',
      `.BTF=${path('btf')}`,
      '--add-section',
      `.BTF.base=${path('base')}`,
    ];
    execFileSync('objcopy', [...sections, path('in.ko'), path('out.ko')], { stdio: 'pipe' });
    return readFileSync(path('out.ko'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('kernels since 6.11 move modules', () => {
  const moving = KERNELS.map(({ series }) => series).filter(movesModules);
  expect(moving).toEqual(expect.arrayContaining(['6.12', '7']));
  expect(moving).not.toContain('6.1');
});

const textOf = (spec: Spec): string[] => [...spec].map((type) => toBpftoolJson(type));

needs('qemu-system-x86_64', 'debian-machines', 'objcopy').describe(
  'a module with the result of distillBase',
  () => {
    for (const series of wanted.filter(movesModules)) {
      test(`is moved onto vmlinux by kernel ${series} as by relocateSplit`, async () => {
        await using machine = await Machine.boot(series, { withDaemon: false });
        const vmlinux = Spec.parse(await machine.read('/sys/kernel/btf/vmlinux'));
        const names = MODULES.filter((name) => machine.kernel.modules.includes(name));
        expect(names.length).toBeGreaterThan(1);
        for (const name of names) {
          const module = await machine.read(`/lib/modules/${machine.kernel.release}/${name}.ko`);
          const distilled = distillBase(Spec.parse(readElfBtf(module).btf, { base: vmlinux }));
          await machine.write('/tmp/distilled.ko', withDistilledBase(module, distilled));
          await machine.sh(`rmmod ${name} 2>/dev/null; insmod /tmp/distilled.ko`);
          const base = Spec.parse(distilled.baseBytes);
          const ours = relocateSplit(Spec.parse(distilled.bytes, { base }), vmlinux);
          const theirs = Spec.parse(await machine.read(`/sys/kernel/btf/${name}`), { base: vmlinux });
          expect(textOf(theirs)).toEqual(textOf(ours));
          expect(theirs.typeCount).toBeGreaterThan(20);
          await machine.sh(`rmmod ${name}`);
        }
        expect(machine.warnings()).toEqual([]);
      });
    }
  },
);
