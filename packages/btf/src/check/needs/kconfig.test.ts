import { expect, test } from '@jest/globals';
import type { BpfExtern } from '../../object/extern-symbols.js';
import type { BpfLoader } from '../../core/rules/loader-rules.js';
import { resolveKconfig } from './kconfig.js';

function verdictOf(name: string, weak: boolean, loader: BpfLoader = 'libbpf'): string {
  const extern: BpfExtern = { name, kind: 'VAR', section: '.kconfig', typeId: 1, weak };
  const values = { loader, section: 1, offsets: new Map([[name, 16]]), variables: [] };
  const { need, reference } = resolveKconfig(extern, values);
  expect(reference).toEqual({ to: 'data', section: 1, offset: 16 });
  expect(need).toMatchObject({ kind: 'KCONFIG', name, optional: weak });
  return [need.verdict, need.reason].join(': ');
}

test.each([
  ['LINUX_KERNEL_VERSION', false, 'FITS: '],
  ['CONFIG_HZ', false, 'UNKNOWN: BTF has no configuration; the load fails if it is not set'],
  ['CONFIG_HZ', true, 'UNKNOWN: BTF has no configuration; its value is 0 if it is not set'],
  ['LINUX_HAS_SYSCALL_WRAPPER', true, 'UNKNOWN: the loader tries it out'],
  ['LINUX_HAS_BPF_COOKIE', true, 'UNKNOWN: the loader tries it out'],
  ['LINUX_OTHER', true, 'GUARDED: the loader does not know it and sets it to 0'],
  ['LINUX_OTHER', false, 'FAILS: the loader does not know it'],
  ['HZ', true, 'FAILS: the loader does not know it'],
])('%s, weak: %s', (name, weak, expected) => {
  expect(verdictOf(name, weak)).toBe(expected);
});

test.each([
  ['CONFIG_HZ', false, 'UNKNOWN: BTF has no configuration; the load fails if it is not set'],
  ['CONFIG_HZ', true, 'FAILS: cilium/ebpf does not load weak variables of .kconfig'],
  ['LINUX_KERNEL_VERSION', true, 'FAILS: cilium/ebpf does not load weak variables of .kconfig'],
  ['LINUX_HAS_SYSCALL_WRAPPER', false, 'UNKNOWN: the loader tries it out'],
  ['LINUX_HAS_BPF_COOKIE', false, 'FAILS: the loader does not know it'],
])('%s, weak: %s, by cilium/ebpf', (name, weak, expected) => {
  expect(verdictOf(name, weak, 'cilium')).toBe(expected);
});
