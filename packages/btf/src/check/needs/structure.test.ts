import { describe, expect, test } from '@jest/globals';
import type { BpfLoader } from '../../core/rules/loader-rules.js';
import { parseBpfObject } from '../../object/bpf-object.js';
import { assembleCoreObject, EXIT, LOCAL_FUNCTION } from '../../testing/assemble-ext.js';
import { CHECK_OBJECTS, checkCase, VERSION } from '../../testing/check-case.js';
import { structs } from '../../testing/core-structs.js';
import { smallKernel } from '../../testing/small-kernel.js';
import { checkObject } from '../check-object.js';
import type { ObjectReport } from '../report.js';

const KERNEL = {
  kernel: smallKernel({ more: (types) => types.function('bpf_throw', 0, [types.word], 'bpf_kfunc') }),
};

/** The findings that fail, those of programs with the name of the program. */
function failing({ programs, needs }: ObjectReport): string[] {
  return [
    ...programs.flatMap((program) => [
      ...program.needs.map((need) => ({ ...need, of: `${program.name}: ` })),
      ...program.relocations.map((own) => ({ ...own, of: `${program.name}: `, kind: 'CORE', name: '' })),
    ]),
    ...needs.map((need) => ({ ...need, of: '' })),
  ]
    .filter(({ verdict }) => verdict === 'FAILS')
    .map(({ of, kind, name, reason }) => `${of}${kind} ${name}: ${reason}`);
}

function check(name: (typeof CHECK_OBJECTS)[number], loader: BpfLoader = 'libbpf'): string[] {
  return failing(checkObject(checkCase(name), KERNEL, { loader, kernelVersion: VERSION }));
}

describe('A real object fails', () => {
  const missing = 'KFUNC elsewhere: the object neither defines it nor declares it as __ksym';

  test('that calls a function in the section of a program, by libbpf', () => {
    expect(check('refused-call')).toEqual([
      'PROGRAM_TYPE called: libbpf does not let caller refer to it, as it is in section socket, not .text',
    ]);
    expect(check('refused-call', 'cilium')).toEqual([]);
  });

  test('that uses a function of another object', () => {
    expect(check('refused-extern')).toEqual([missing]);
    expect(check('refused-extern', 'cilium')).toEqual([`caller: ${missing}`]);
  });

  test('whose program is of no struct of functions', () => {
    const reason = 'unused: STRUCT_OPS unused: no struct of functions refers to the program';
    expect(check('refused-unused')).toEqual([reason]);
    expect(check('refused-unused', 'cilium')).toEqual([reason]);
  });

  test('with a static map', () => {
    const reason = 'MAP_TYPE hidden: loaders refuse static maps';
    expect(check('refused-map')).toEqual([reason]);
    expect(check('refused-map', 'cilium')).toEqual([reason]);
  });

  test('whose function for exceptions uses what the kernel lacks, although nothing calls it', () => {
    expect(check('refused-exception')).toEqual([
      'thrower: CORE : struct task_struct has no member no_such_member; the verifier always reaches it',
    ]);
  });
});

describe('cilium/ebpf refuses', () => {
  test('several functions of one name', () => {
    const programs = ['socket', 'tc'].map((section) => ({
      name: 'twice',
      section,
      instructions: [EXIT],
      info: LOCAL_FUNCTION,
    }));
    const object = parseBpfObject(assembleCoreObject('little', structs('s.a:4'), programs));
    expect(failing(checkObject(object, KERNEL, { loader: 'cilium' }))).toEqual([
      'PROGRAM_TYPE twice: the object has several functions of this name',
    ]);
  });

  test('structs of functions without a link', () => {
    expect(check('struct-ops', 'cilium')).toEqual([
      'STRUCT_OPS .struct_ops: cilium/ebpf refuses objects with this section: use .struct_ops.link',
    ]);
  });

  test('no section with more in its name than libbpf knows', () => {
    const programs = [{ name: 'p', section: 'classifier/name', instructions: [EXIT] }];
    const object = parseBpfObject(assembleCoreObject('little', structs('s.a:4'), programs));
    const typeBy = (loader: BpfLoader) =>
      checkObject(object, KERNEL, { loader }).programs.map(({ programType, verdict }) => [
        programType,
        verdict,
      ]);
    expect(typeBy('libbpf')).toEqual([[null, 'UNKNOWN']]);
    expect(typeBy('cilium')).toEqual([['SCHED_CLS', 'FITS']]);
  });
});
