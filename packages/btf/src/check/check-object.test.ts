import { describe, expect, test } from '@jest/globals';
import { convertByteOrder } from '../build/byte-order.js';
import { parseBpfObject } from '../object/bpf-object.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { assembleCoreObject, EXIT, LOCAL_FUNCTION } from '../testing/assemble-ext.js';
import { checkCase, checkProgram, needsOf, VERSION } from '../testing/check-case.js';
import { addStruct, integers, program, specOf, structs } from '../testing/core-structs.js';
import { smallKernel } from '../testing/small-kernel.js';
import { Spec } from '../spec.js';
import { checkObject, checkObjectSteps } from './check-object.js';
import type { Verdict } from './verdict.js';

const NEEDS = checkCase('needs');
const KERNEL = { kernel: smallKernel() };

/** The programs of `needs.bpf.c` with what Linux 6.18 does when it loads only this one, which a kernel test compares. */
const PROGRAMS: readonly (readonly [string, Verdict])[] = [
  ['kfunc', 'FITS'],
  ['absent_kfunc', 'FAILS'],
  ['guarded_kfunc', 'GUARDED'],
  ['other_prototype', 'GUARDED'],
  ['not_a_kfunc', 'FAILS'],
  ['asked_for', 'FITS'],
  ['absent_variable', 'GUARDED'],
  ['absent_symbol', 'UNKNOWN'],
  ['old_kernels', 'GUARDED'],
  ['new_kernels', 'FAILS'],
  ['as_initialized', 'AT_RISK'],
  ['fixed', 'AT_RISK'],
  ['maybe', 'AT_RISK'],
  ['always', 'FAILS'],
  ['exists', 'GUARDED'],
  ['guarded_member', 'GUARDED'],
  ['helper', 'FAILS'],
  ['guarded_helper', 'GUARDED'],
  ['arguments', 'FITS'],
  ['no_such_argument', 'FAILS'],
  ['subprogram', 'FAILS'],
  ['guarded_subprogram', 'GUARDED'],
  ['no_tracepoint', 'FAILS'],
  ['no_function', 'FAILS'],
  ['no_target', 'UNKNOWN'],
  ['no_hook', 'FAILS'],
  ['no_iterator', 'FAILS'],
  ['iterator', 'FITS'],
  ['probe', 'UNKNOWN'],
  ['unknown_section', 'UNKNOWN'],
  ['left_out', 'FITS'],
];

test.each(PROGRAMS)('the program %s of a real object: %s', (name, verdict) => {
  const bigEndianKernel = { kernel: Spec.parse(convertByteOrder(KERNEL.kernel, 'big')) };
  for (const report of [
    checkProgram(NEEDS, KERNEL, name),
    checkProgram(checkCase('needs-eb'), bigEndianKernel, name),
  ]) {
    const loaded = report.programs.find((own) => own.loaded);
    expect([report.verdict, loaded?.verdict]).toEqual([verdict, verdict]);
  }
});

test('all of its programs are in the report', () => {
  const names = checkObject(NEEDS, KERNEL).programs.map(({ name }) => name);
  expect(names.toSorted()).toEqual(PROGRAMS.map(([name]) => name).toSorted());
});

describe('A report', () => {
  test('has the programs that the loader loads by default, and says nothing of others', () => {
    const loaded = (loader: 'libbpf' | 'cilium') =>
      checkObject(NEEDS, KERNEL, { loader }).programs.find(({ name }) => name === 'left_out');
    expect(loaded('libbpf')).toEqual({
      name: 'left_out',
      section: '?tc',
      programType: 'SCHED_CLS',
      loaded: false,
      verdict: null,
      relocations: [],
      needs: [],
    });
    expect(loaded('cilium')).toMatchObject({ loaded: true, verdict: 'FITS' });
  });

  test('counts findings and programs by verdict', () => {
    const { verdict, counts, programs, needs } = checkObject(NEEDS, KERNEL, { kernelVersion: VERSION });
    expect(verdict).toBe('FAILS');
    expect(counts.map((count) => count.verdict)).toEqual([
      'FITS',
      'CHANGED',
      'GUARDED',
      'UNKNOWN',
      'AT_RISK',
      'FAILS',
    ]);
    const sum = (of: 'relocations' | 'needs' | 'programs') =>
      counts.reduce((all, count) => all + count[of], 0);
    expect(sum('programs')).toBe(programs.filter(({ loaded }) => loaded).length);
    expect(sum('needs')).toBe(programs.flatMap((own) => own.needs).length + needs.length);
    expect(sum('relocations')).toBe(programs.flatMap((own) => own.relocations).length);
    expect(counts.at(-1)).toEqual({ verdict: 'FAILS', relocations: 3, needs: 8, programs: 11 });
  });

  test('says what was not judged, and what the answer depends on', () => {
    expect(checkObject(NEEDS, KERNEL)).toMatchObject({
      loader: 'libbpf',
      loaderRelease: '1.8',
      byteOrder: 'little',
      notJudged: [
        'the address of 1 kernel symbol',
        'whether 1 function can be probed',
        'whether the kernel lets programs attach to 3 targets',
        'whether programs of their types may call 3 kernel functions',
      ],
      modules: [],
      dependsOnAllModules: true,
      dependsOnKernelVersion: true,
    });
  });

  test('has the source line of findings, and reasons', () => {
    const { programs } = checkProgram(NEEDS, KERNEL, 'always');
    const [finding] = programs.find(({ name }) => name === 'always')?.relocations ?? [];
    expect(finding).toMatchObject({
      verdict: 'FAILS',
      reach: 'ALWAYS',
      reason: 'struct task_struct has no member no_such_member; the verifier always reaches it',
      source: { text: 'PROGRAM(always) { return GONE(context[0]); }' },
    });
  });

  test('is yielded program by program', () => {
    const steps = checkObjectSteps(NEEDS, KERNEL);
    const programs = [];
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) if (step.value !== null) programs.push(step.value);
    expect({ programs, ...step.value }).toEqual(checkObject(NEEDS, KERNEL));
  });
});

describe('Read-only variables', () => {
  const verdictWith = (value: readonly number[]) =>
    checkProgram(NEEDS, KERNEL, 'as_initialized', { variables: { use_gone: Uint8Array.from(value) } })
      .verdict;

  test('guard if their values are given', () => {
    expect(verdictWith([0, 0, 0, 0])).toBe('GUARDED');
    expect(verdictWith([1, 0, 0, 0])).toBe('AT_RISK');
  });

  test('are named as the reason of a risk', () => {
    const { programs } = checkProgram(NEEDS, KERNEL, 'as_initialized');
    const [finding] = programs.find(({ loaded }) => loaded)?.relocations ?? [];
    expect(finding?.reason).toBe(
      'struct task_struct has no member no_such_member; the verifier never reaches it as long as the values of use_gone are not changed before the load',
    );
  });

  test('must exist, and have the size of their values', () => {
    expect(() => verdictWith([0])).toThrow('variable use_gone has 4 bytes: its value cannot have 1');
    const variables = { no_such_variable: new Uint8Array(4) };
    expect(() => checkObject(NEEDS, KERNEL, { variables })).toThrow(
      'the object has no read-only variable "no_such_variable"',
    );
  });
});

describe('The version of the kernel', () => {
  test('decides branches if it is known', () => {
    const at = (kernelVersion: number | null) =>
      checkProgram(NEEDS, KERNEL, 'old_kernels', { kernelVersion }).verdict;
    expect([at(VERSION), at(4 << 16), at(null)]).toEqual(['GUARDED', 'FAILS', 'AT_RISK']);
  });

  test('may be unknown if the enums of bpf(2) say what the verifier does', () => {
    const reachOn = (kernel: Spec) =>
      checkProgram(NEEDS, { kernel }, 'fixed', { kernelVersion: null })
        .programs.flatMap(({ relocations }) => relocations)
        .map(({ reach }) => reach);
    expect(reachOn(KERNEL.kernel)).toEqual(['NEVER_AS_INITIALIZED']);
    expect(reachOn(smallKernel({ withoutValues: ['BPF_FUNC_probe_read_kernel'] }))).toEqual(['MAYBE']);
  });
});

test('functions that not every kernel checks are a risk if the kernel is not known', () => {
  const verdict = (kernel: Spec, kernelVersion: number | null) =>
    checkProgram(NEEDS, { kernel }, 'subprogram', { kernelVersion }).verdict;
  const { kernel } = KERNEL;
  const recent = smallKernel({ more: (types) => types.enum('bpf_cmd', ['BPF_TOKEN_CREATE']) });
  expect([verdict(kernel, null), verdict(kernel, VERSION), verdict(recent, null)]).toEqual([
    'AT_RISK',
    'FAILS',
    'FAILS',
  ]);
});

describe('Relocations', () => {
  const kernel = structs('s.a:4,b:4', 'd.x:4');
  addStruct(kernel, 'd.y:4,x:4');
  const target = { kernel: specOf(kernel) };
  const check = (...programs: Parameters<typeof assembleCoreObject>[2]) =>
    checkObject(
      parseBpfObject(assembleCoreObject('little', structs('s.b:4,a:4', 'd.x:4'), programs)),
      target,
    );
  const verdicts = ({ programs }: ReturnType<typeof check>) =>
    programs.map(({ name, verdict, relocations }) => [
      name,
      verdict,
      relocations.map((own) => own.verdict).join(),
    ]);

  test('that are ambiguous fail', () => {
    const report = check(program('p', [[4, '0:0', 0]], { section: 'socket' }));
    expect(verdicts(report)).toEqual([['p', 'FAILS', 'FAILS']]);
    expect(report.relocations).toEqual([]);
  });

  test('of a subprogram are those of each program that uses it', () => {
    const names = ['subprogram', 'guarded_subprogram'];
    const { programs } = checkObject(NEEDS, KERNEL, { programs: names, kernelVersion: VERSION });
    const found = programs
      .filter(({ loaded }) => loaded)
      .flatMap(({ relocations }) => relocations)
      .filter(({ relocation }) => relocation.program?.name === 'gone');
    expect(found.map(({ verdict }) => verdict)).toEqual(['FAILS', 'GUARDED']);
  });

  test('of functions that no program uses count if the loader refuses them', () => {
    const report = check(
      { name: 'p', section: 'socket', instructions: [EXIT] },
      program(
        'unused',
        [
          [4, '0:0', 0],
          [3, '0:0', 0],
        ],
        { section: '.text' },
      ),
    );
    expect(report.verdict).toBe('FAILS');
    expect(report.relocations.map(({ verdict, relocation }) => [verdict, relocation.outcome])).toEqual([
      ['FAILS', 'AMBIGUOUS'],
    ]);
  });
});

test('a static function in the section of a program fails by libbpf, and is a program of its own by cilium', () => {
  const programs = [
    { name: 'p', section: 'socket', instructions: [EXIT] },
    { name: 'q', section: 'socket', instructions: [EXIT], info: LOCAL_FUNCTION },
  ];
  const object = parseBpfObject(assembleCoreObject('little', structs('s.a:4'), programs));
  const report = checkObject(object, KERNEL);
  expect([report.verdict, report.programs.length]).toEqual(['FAILS', 1]);
  expect(report.needs.filter(({ verdict }) => verdict === 'FAILS')).toMatchObject([
    { name: 'q', reason: 'libbpf does not load static functions in the section socket' },
  ]);
  const byCilium = checkObject(object, KERNEL, { loader: 'cilium' });
  expect([byCilium.verdict, byCilium.programs.length]).toEqual(['FITS', 2]);
});

test('an object of another byte order fails', () => {
  const object = parseBpfObject(
    assembleCoreObject('big', bigEndian(), [{ name: 'p', instructions: [EXIT] }]),
  );
  const report = checkObject(object, KERNEL);
  expect([report.verdict, report.byteOrder]).toEqual(['FAILS', 'big']);
  expect(needsOf(report, 'BYTE_ORDER')).toMatchObject([
    { verdict: 'FAILS', name: 'big-endian', reason: 'the kernel is little-endian' },
  ]);
});

function bigEndian(): BtfAssembler {
  return integers(new BtfAssembler('big'));
}
