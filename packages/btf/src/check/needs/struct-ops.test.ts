import { expect, test } from '@jest/globals';
import { CHECK_OBJECTS, checkCase, checkProgram, needsOf } from '../../testing/check-case.js';
import { smallKernel } from '../../testing/small-kernel.js';
import { checkObject } from '../check-object.js';

const KERNEL = smallKernel();
const MISSING = 'struct tcp_congestion_ops of vmlinux has no member';

test('a struct of functions and its members are found', () => {
  const report = checkObject(checkCase('struct-ops'), { kernel: KERNEL });
  const lines = [...needsOf(report, 'STRUCT_OPS'), ...needsOf(report, 'STRUCT_OPS_MEMBER')].map(
    ({ name, verdict, object, reason }) => [name, verdict, object, reason],
  );
  expect(lines).toEqual([
    ['tcp_congestion_ops', 'FITS', 'vmlinux', ''],
    ['tcp_congestion_ops.ssthresh', 'FITS', 'vmlinux', ''],
    ['tcp_congestion_ops.name', 'FITS', 'vmlinux', ''],
    [
      'tcp_congestion_ops.no_such_member',
      'GUARDED',
      null,
      `${MISSING} no_such_member, and it has no value in the object`,
    ],
    [
      'tcp_congestion_ops.no_such_function',
      'GUARDED',
      null,
      `${MISSING} no_such_function, and it has no value in the object`,
    ],
  ]);
});

test('programs are loaded if a map that is made has them', () => {
  const loaded = (loader: 'libbpf' | 'cilium') =>
    checkObject(checkCase('struct-ops'), { kernel: KERNEL }, { loader }).programs.map(
      ({ name, loaded: isLoaded }) => `${name} ${isLoaded}`,
    );
  expect(loaded('libbpf')).toEqual(['ssthresh true', 'other true', 'left_out false']);
  expect(loaded('cilium')).toEqual(['ssthresh true', 'other true', 'left_out true']);
});

const REASONS: Partial<Record<(typeof CHECK_OBJECTS)[number], string>> = {
  'struct-ops-struct':
    'no object of the kernel has a struct bpf_struct_ops_no_such_ops: programs cannot implement it',
  'struct-ops-value': `${MISSING} no_such_member`,
  'struct-ops-function': `${MISSING} no_such_function`,
  'struct-ops-size': 'the member has 8 bytes in the object and 16 in vmlinux',
  'struct-ops-kind': 'the member is of another kind in vmlinux',
  'struct-ops-bits': 'loaders do not set bitfields',
  'struct-ops-pointer': 'the member does not point to a function in vmlinux',
};

test.each(Object.entries(REASONS))('%s fails', (name, reason) => {
  const own = CHECK_OBJECTS.find((object) => object === name);
  const report = checkProgram(checkCase(own ?? 'needs'), { kernel: KERNEL }, 'ssthresh');
  expect(report.verdict).toBe('FAILS');
  const failing = report.needs.filter(({ verdict }) => verdict === 'FAILS').map((need) => need.reason);
  expect(failing).toEqual([reason]);
});

test('a struct may be one of a module', () => {
  const kernel = smallKernel({ withoutStructOps: true });
  const module = (hasWrapper: boolean) => ({
    name: 'tcp_mine',
    spec: () =>
      smallKernel({
        base: kernel,
        more: (types) => {
          const ssthresh = types.builder.add({ kind: 'PTR', typeId: types.prototype(types.int, []) });
          const ops = types.struct('no_such_ops', [['function', ssthresh, 8]]);
          types.struct('bpf_struct_ops_no_such_ops', [['data', hasWrapper ? ops : types.word, 8]]);
        },
      }),
  });
  const check = (hasWrapper: boolean) => {
    const report = checkObject(checkCase('struct-ops-struct'), { kernel, modules: [module(hasWrapper)] });
    return needsOf(report, 'STRUCT_OPS').map(({ name, verdict, object }) => [name, verdict, object]);
  };
  const missing = ['tcp_congestion_ops', 'FAILS', null];
  expect(check(true)).toEqual([['no_such_ops', 'FITS', 'tcp_mine'], missing]);
  expect(check(false)).toEqual([['no_such_ops', 'FAILS', null], missing]);
});
