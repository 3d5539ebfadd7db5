import { describe, expect, test } from '@jest/globals';
import type { CoreModule } from '../../core/candidates.js';
import { type Instruction } from '../../object/instructions.js';
import { parseBpfObject } from '../../object/bpf-object.js';
import type { BpfLoader } from '../../core/rules/loader-rules.js';
import { assembleCoreObject, EXIT } from '../../testing/assemble-ext.js';
import { needsOf } from '../../testing/check-case.js';
import { structs } from '../../testing/core-structs.js';
import { smallKernel } from '../../testing/small-kernel.js';
import { checkObject } from '../check-object.js';
import type { Need } from '../report.js';

const KERNEL = smallKernel({
  withoutValues: ['BPF_NETKIT_PRIMARY'],
  more: (types) => {
    const { int, word, pointer, builder } = types;
    const pair = types.struct('pair', [
      ['a', word, 8],
      ['b', word, 8],
    ]);
    const triple = types.struct('triple', [
      ['a', pair, 16],
      ['b', word, 8],
    ]);
    const float = builder.add({ kind: 'FLOAT', name: 'double', size: 8 });
    types.function('two', int, [int, pointer]);
    types.function('returns_nothing', 0, [pointer]);
    types.function('variadic', int, [pointer, 0]);
    types.function('returns_struct', pair, []);
    types.function('takes_pair', int, [pair, int]);
    types.function('takes_triple', int, [triple]);
    types.function('takes_float', int, [float]);
    types.function('seven', int, [int, int, int, int, int, int, int]);
    types.function(
      'thirteen',
      int,
      Array.from({ length: 13 }, () => int),
    );
    types.function('nine', int, [int, int, int, int, int, int, int, int, int]);
    types.function('twice', int, [int]);
    types.function('twice', int, [pointer]);
    types.function('bpf_lsm_file_open', int, [pointer]);
    types.tracepoint(
      'thirteen',
      Array.from({ length: 13 }, () => int),
    );
  },
});

const MODULES: CoreModule[] = ['nf_nat', 'xfs'].map((name) => ({
  name,
  spec: () =>
    smallKernel({
      base: KERNEL,
      more: (types) => types.function(`${name}_open`, types.int, [types.int]),
    }),
}));

interface Options {
  readonly loader?: BpfLoader;
  readonly kernelVersion?: number | null;
  /** The word of the context that the program reads. */
  readonly reads?: number;
  readonly attachTargets?: Readonly<Record<string, string>>;
}

function attach(section: string, { reads, ...options }: Options = {}): Need[] {
  const read: Partial<Instruction> = { opcode: 0x79, dst: 2, src: 6, offset: 8 * (reads ?? 0) };
  const instructions = [{ opcode: 0xbf, dst: 6, src: 1 }, ...(reads === undefined ? [] : [read]), EXIT];
  const file = assembleCoreObject('little', structs('s.a:4'), [{ name: 'p', section, instructions }]);
  const report = checkObject(parseBpfObject(file), { kernel: KERNEL, modules: MODULES }, options);
  return [...needsOf(report, 'ATTACH_TARGET'), ...needsOf(report, 'SYMBOL')];
}

const V6_6 = (6 << 16) | (6 << 8);
const V6_17 = (6 << 16) | (17 << 8);

describe('A target', () => {
  test.each([
    ['fentry/two', 'vmlinux'],
    ['fexit.s/two', 'vmlinux'],
    ['fmod_ret/two', 'vmlinux'],
    ['fsession/two', 'vmlinux'],
    ['fentry/takes_pair', 'vmlinux'],
    ['fentry/vmlinux:two', 'vmlinux'],
    ['fentry/xfs_open', 'xfs'],
    ['fentry/xfs:xfs_open', 'xfs'],
    // libbpf compares as much of a module's name as there is.
    ['fentry/nf:nf_nat_open', 'nf_nat'],
    ['lsm/file_open', 'vmlinux'],
    ['lsm_cgroup/file_open', 'vmlinux'],
    ['iter/task', 'vmlinux'],
    ['tp_btf/task_newtask', 'vmlinux'],
    ['tp_btf/thirteen', 'vmlinux'],
  ])('%s fits', (section, object) => {
    expect(attach(section)).toMatchObject([{ verdict: 'FITS', object, reason: '' }]);
  });

  test.each([
    ['fentry/three', "the kernel's BTF has no function three"],
    ['fentry/xfs:two', "the kernel's BTF has no function two"],
    ['fentry/xfs:nf_nat_open', "the kernel's BTF has no function nf_nat_open"],
    ['lsm/two', "the kernel's BTF has no function bpf_lsm_two"],
    ['iter/two', "the kernel's BTF has no function bpf_iter_two"],
    ['tp_btf/two', "the kernel's BTF has no typedef btf_trace_two"],
    ['fentry/variadic', 'it takes a variable number of arguments'],
    ['fentry/returns_struct', 'it returns a struct'],
    ['fentry/takes_triple', 'its parameter 1 has 24 bytes'],
    ['fentry/takes_float', 'its parameter 1 is of a type that the kernel does not pass to programs'],
    ['fentry/thirteen', 'its arguments take 13 words: the kernel traces functions of at most 12'],
  ])('%s fails', (section, reason) => {
    expect(attach(section)).toMatchObject([{ verdict: 'FAILS', reason }]);
  });

  test('may have more arguments than every kernel and machine passes', () => {
    const verdicts = (section: string) =>
      [null, V6_6 - 1, V6_6, V6_17].map((kernelVersion) => attach(section, { kernelVersion })[0]?.verdict);
    expect(verdicts('fentry/seven')).toEqual(['UNKNOWN', 'UNKNOWN', 'FITS', 'FITS']);
    expect(verdicts('fentry/nine')).toEqual(['UNKNOWN', 'UNKNOWN', 'UNKNOWN', 'FITS']);
  });

  test('may take a struct since Linux 6.1', () => {
    const old = smallKernel({
      withoutValues: ['BPF_MAP_TYPE_USER_RINGBUF'],
      more: (types) =>
        types.function('path_chown', types.int, [types.struct('kuid', [['value', types.int, 4]])]),
    });
    const programs = [{ name: 'p', section: 'fentry/path_chown', instructions: [EXIT] }];
    const object = parseBpfObject(assembleCoreObject('little', structs('s.a:4'), programs));
    const verdicts = [null, (6 << 16) - 1, V6_6].map((kernelVersion) =>
      needsOf(checkObject(object, { kernel: old }, { kernelVersion }), 'ATTACH_TARGET').map(
        ({ verdict, reason }) => `${verdict} ${reason}`,
      ),
    );
    const reason = 'it takes a struct: kernels before Linux 6.1 do not trace such functions';
    expect(verdicts).toEqual([[`FAILS ${reason}`], [`FAILS ${reason}`], ['FITS ']]);
  });

  test('of a program that replaces a function is one of another program', () => {
    expect(attach('freplace/f')).toMatchObject([{ verdict: 'UNKNOWN', name: 'f' }]);
  });

  test('of which there are several is the first for libbpf, and refused by cilium', () => {
    const reason = 'vmlinux has 2 functions of this name';
    expect(attach('fentry/twice')).toMatchObject([
      { verdict: 'UNKNOWN', reason: `${reason}: the loader takes the first` },
    ]);
    expect(attach('fentry/twice', { loader: 'cilium' })).toMatchObject([
      { verdict: 'FAILS', reason: `${reason}: the loader does not choose one` },
    ]);
  });

  test('may be set by user space', () => {
    expect(attach('fentry')).toMatchObject([{ verdict: 'UNKNOWN', name: '' }]);
  });

  test('is not judged for programs that other types attach', () => {
    for (const section of [
      'xdp',
      'tc',
      'raw_tp/sys_enter',
      'tp/sched/sched_switch',
      'uprobe//bin/sh:main',
      'no_such',
    ]) {
      expect(attach(section)).toEqual([]);
    }
  });

  test('of a probe is a hint', () => {
    expect(attach('kprobe/two')).toMatchObject([
      {
        verdict: 'UNKNOWN',
        object: 'vmlinux',
        reason: 'the symbols of the kernel decide: vmlinux has a function of this name',
      },
    ]);
    expect(attach('kretprobe/three+0x10')).toMatchObject([{ verdict: 'UNKNOWN', object: null }]);
    expect(attach('kprobe')).toEqual([]);
  });
});

describe('A program may read', () => {
  test.each([
    ['fentry/two', 2],
    ['fexit/two', 3],
    ['fmod_ret/two', 3],
    ['fexit/returns_nothing', 1],
    ['lsm/file_open', 2],
    // The first argument of a tracepoint is not passed on, and a struct takes two words.
    ['tp_btf/task_newtask', 2],
    ['fentry/takes_pair', 3],
  ])('the context of %s has %i words', (section, words) => {
    expect(attach(section, { reads: words - 1 })).toMatchObject([{ verdict: 'FITS' }]);
    expect(attach(section, { reads: words })).toMatchObject([
      {
        verdict: 'FAILS',
        reason: expect.stringContaining(`the program reads word ${words + 1} of its context`),
      },
    ]);
  });

  test('any part of the context of an iterator', () => {
    expect(attach('iter/task', { reads: 9 })).toMatchObject([{ verdict: 'FITS' }]);
  });
});

describe('A target that user space sets', () => {
  const attachTo = (section: string, target: string) =>
    attach(section, { attachTargets: { p: target } }).map(({ name, verdict, object }) => [
      name,
      verdict,
      object,
    ]);

  test('counts instead of the one in the section', () => {
    expect(attachTo('fentry', 'two')).toEqual([['two', 'FITS', 'vmlinux']]);
    expect(attachTo('fentry/dummy_target', 'two')).toEqual([['two', 'FITS', 'vmlinux']]);
    expect(attachTo('fentry/two', 'no_such_function')).toEqual([['no_such_function', 'FAILS', null]]);
    expect(attachTo('lsm', 'file_open')).toEqual([['file_open', 'FITS', 'vmlinux']]);
    expect(attachTo('fexit/dummy_target', 'xfs:xfs_open')).toEqual([['xfs:xfs_open', 'FITS', 'xfs']]);
  });

  test('is one of a program of the object', () => {
    expect(() => attach('fentry', { attachTargets: { q: 'two' } })).toThrow(
      'the object has no program "q" to attach to two',
    );
    expect(() => attachTo('fentry', '')).toThrow('the attach target of program p is empty');
  });
});
