import { describe, expect, test } from '@jest/globals';
import type { CoreTarget } from '../../core/candidates.js';
import { checkCase, checkProgram, needsOf } from '../../testing/check-case.js';
import { smallKernel } from '../../testing/small-kernel.js';
import { checkObject } from '../check-object.js';

const NEEDS = checkCase('needs');
const KERNEL = smallKernel();

/** A module with the kfunc and the variable that vmlinux lacks, and one without either. */
const target: CoreTarget = {
  kernel: KERNEL,
  modules: [
    { name: 'other', spec: () => smallKernel({ base: KERNEL }) },
    {
      name: 'own',
      spec: () =>
        smallKernel({
          base: KERNEL,
          more: (types) => {
            types.function('bpf_absent_kfunc', types.int, [types.int], 'bpf_kfunc');
            types.variable('bpf_absent_variable', types.int);
          },
        }),
    },
    {
      name: 'later',
      spec: () => {
        throw new Error('nothing is looked for in it');
      },
    },
  ],
};

describe('Kernel functions', () => {
  test('are found in modules, which are searched one after the other', () => {
    const report = checkProgram(
      NEEDS,
      { kernel: KERNEL, modules: [...(target.modules ?? [])].slice(0, 2) },
      'absent_kfunc',
    );
    expect(report).toMatchObject({ verdict: 'FITS', modules: ['other', 'own'] });
    expect(needsOf(report, 'KFUNC').find(({ name }) => name === 'bpf_absent_kfunc')).toMatchObject({
      object: 'own',
      verdict: 'FITS',
    });
  });

  test('cannot be asked for before Linux 6.4 if they exist', () => {
    const verdictOn = (without: readonly string[], kernelVersion: number | null) =>
      checkProgram(NEEDS, { kernel: smallKernel({ withoutValues: without }) }, 'asked_for', { kernelVersion })
        .verdict;
    const old = ['BPF_NETFILTER'];
    expect(verdictOn(old, null)).toBe('FAILS');
    expect(verdictOn(old, (6 << 16) | (3 << 8))).toBe('FAILS');
    expect(verdictOn(old, (6 << 16) | (4 << 8))).toBe('FITS');
    expect(verdictOn([], (6 << 16) | (1 << 8))).toBe('FITS');
  });

  test('with another prototype have both in C', () => {
    const [need] = needsOf(checkProgram(NEEDS, { kernel: KERNEL }, 'other_prototype'), 'KFUNC');
    expect(need).toMatchObject({
      verdict: 'GUARDED',
      optional: true,
      local: 'int bpf_cpumask_create(int)',
      target: 'void *bpf_cpumask_create(void)',
      reason: 'the function has another prototype in vmlinux; the verifier never reaches it on this kernel',
    });
  });

  test('with another prototype are refused by cilium even if they are weak', () => {
    const report = checkProgram(NEEDS, { kernel: KERNEL }, 'other_prototype', { loader: 'cilium' });
    expect(needsOf(report, 'KFUNC')).toMatchObject([{ verdict: 'FAILS' }]);
  });

  test('are any functions if the kernel does not tag them', () => {
    const kernel = smallKernel({ hasTags: false });
    expect(checkProgram(NEEDS, { kernel }, 'not_a_kfunc').verdict).toBe('FITS');
  });

  test.each([
    ['strong-kfunc', 'KFUNC', 'no object of the kernel has a function bpf_absent_kfunc'],
    ['strong-prototype', 'KFUNC', 'the function has another prototype in vmlinux'],
    ['strong-variable', 'KSYM_VARIABLE', 'no object of the kernel has such a variable in its BTF'],
    ['other-variable', 'KSYM_VARIABLE', 'the variable has another type in vmlinux'],
  ] as const)('and variables that are strong fail the object %s', (name, kind, reason) => {
    const object = checkCase(name);
    for (const program of ['program', 'other']) {
      const report = checkProgram(object, { kernel: KERNEL }, program);
      expect([report.verdict, ...needsOf(report, kind).map((need) => need.reason)]).toEqual([
        'FAILS',
        reason,
      ]);
      // Only the need of a program that uses it is its own.
      expect(report.needs.some((need) => need.kind === kind)).toBe(program === 'other');
    }
    const other = checkProgram(object, { kernel: KERNEL }, 'other', { loader: 'cilium' });
    expect(other.verdict).toBe('FITS');
  });
});

test('variables are found in modules', () => {
  const report = checkProgram(
    NEEDS,
    { kernel: KERNEL, modules: [...(target.modules ?? [])].slice(0, 2) },
    'absent_variable',
  );
  expect(needsOf(report, 'KSYM_VARIABLE')).toMatchObject([{ object: 'own', verdict: 'FITS' }]);
  // Its address may be 0 or not, as far as BTF says.
  expect(report.verdict).toBe('AT_RISK');
});

test('modules are only read when something is looked for in them', () => {
  expect(() => checkProgram(NEEDS, target, 'absent_kfunc')).not.toThrow();
  const read = checkProgram(checkCase('struct-ops'), target, 'ssthresh');
  expect(read).toMatchObject({ modules: [], dependsOnAllModules: false });
});

test('values of the configuration are not in BTF', () => {
  const report = checkObject(NEEDS, { kernel: KERNEL });
  const names = new Set(needsOf(report, 'KCONFIG').map(({ name, verdict }) => `${name} ${verdict}`));
  expect([...names]).toEqual(['LINUX_KERNEL_VERSION FITS']);
});
