import { describe, expect, test } from '@jest/globals';
import { type BpfObject, parseBpfObject } from '../../object/bpf-object.js';
import { assembleCoreObject, EXIT } from '../../testing/assemble-ext.js';
import { checkCase, needsOf } from '../../testing/check-case.js';
import { structs } from '../../testing/core-structs.js';
import { smallKernel, type SmallKernelOptions } from '../../testing/small-kernel.js';
import { checkObject } from '../check-object.js';
import type { NeedKind } from '../report.js';

function objectOf(section: string, helpers: readonly number[] = []): BpfObject {
  const calls = helpers.map((immediate) => ({ opcode: 0x85, immediate }));
  const programs = [{ name: 'p', section, instructions: [...calls, EXIT] }];
  return parseBpfObject(assembleCoreObject('little', structs('s.a:4'), programs));
}

function check(object: BpfObject, kind: NeedKind, options: SmallKernelOptions = {}): string[] {
  const report = checkObject(object, { kernel: smallKernel(options) });
  return needsOf(report, kind).map(({ name, verdict }) => `${name} ${verdict}`);
}

describe('The type of a program', () => {
  test('is a value of enum bpf_prog_type', () => {
    const xdp = objectOf('xdp');
    const name = 'BPF_PROG_TYPE_XDP';
    expect(check(xdp, 'PROGRAM_TYPE')).toEqual([`${name} FITS`]);
    expect(check(xdp, 'PROGRAM_TYPE', { withoutValues: [name] })).toEqual([`${name} FAILS`]);
    expect(check(xdp, 'PROGRAM_TYPE', { withoutEnums: ['bpf_prog_type'] })).toEqual([`${name} UNKNOWN`]);
  });

  test('has an attach type, which some kernels compare at the load', () => {
    const without = { withoutValues: ['BPF_TCX_INGRESS', 'BPF_TRACE_FSESSION', 'BPF_SK_LOOKUP'] };
    expect(check(objectOf('tc/ingress'), 'ATTACH_TYPE')).toEqual(['BPF_TCX_INGRESS FITS']);
    expect(check(objectOf('tc/ingress'), 'ATTACH_TYPE', without)).toEqual(['BPF_TCX_INGRESS AT_RISK']);
    expect(check(objectOf('fsession/f'), 'ATTACH_TYPE', without)).toEqual(['BPF_TRACE_FSESSION FAILS']);
    expect(check(objectOf('sk_lookup'), 'ATTACH_TYPE', without)).toEqual(['BPF_SK_LOOKUP FAILS']);
    expect(check(objectOf('socket'), 'ATTACH_TYPE')).toEqual([]);
  });
});

describe('A helper', () => {
  const helpers = (numbers: readonly number[], options?: SmallKernelOptions) =>
    check(objectOf('socket', numbers), 'HELPER', options);

  test('is a value of enum bpf_func_id below its end', () => {
    expect(helpers([1, 1, 3])).toEqual(['BPF_FUNC_map_lookup_elem FITS', '__BPF_FUNC_MAX_ID FAILS']);
    expect(helpers([0])).toEqual(['BPF_FUNC_unspec FAILS']);
    expect(helpers([500])).toEqual(['helper 500 FAILS']);
    expect(helpers([500], { withoutEnums: ['bpf_func_id'] })).toEqual(['helper 500 UNKNOWN']);
  });

  test('that reads memory of the kernel is replaced on old kernels', () => {
    const old = ['unspec', 'map_lookup_elem', 'map_update_elem', 'map_delete_elem', 'probe_read'];
    const options: SmallKernelOptions = {
      withoutEnums: ['bpf_func_id'],
      more: (types) =>
        types.enum('bpf_func_id', [...old.map((name) => `BPF_FUNC_${name}`), '__BPF_FUNC_MAX_ID']),
    };
    expect(helpers([113], options)).toEqual(['helper 113 FITS']);
    expect(helpers([115], options)).toEqual(['helper 115 FAILS']);
  });

  test('after one that is missing is not reached', () => {
    expect(helpers([500, 501])).toEqual(['helper 500 FAILS', 'helper 501 GUARDED']);
  });
});

describe('The type of a map', () => {
  const maps = (options?: SmallKernelOptions) => check(checkCase('needs'), 'MAP_TYPE', options);

  test('is a value of enum bpf_map_type', () => {
    expect(maps()).toEqual(['BPF_MAP_TYPE_ARRAY FITS']);
    const values = ['BPF_MAP_TYPE_HASH', 'BPF_MAP_TYPE_USER_RINGBUF'];
    expect(maps({ withoutValues: values })).toEqual(['__MAX_BPF_MAP_TYPE FAILS']);
    expect(maps({ withoutEnums: ['bpf_map_type'] })).toEqual(['map type 2 UNKNOWN']);
  });

  test('cannot be that of a definition without BTF, for libbpf', () => {
    const sections = [{ name: 'maps', bytes: new Uint8Array(20), flags: 3 }];
    const programs = [{ name: 'p', instructions: [EXIT] }];
    const object = parseBpfObject(assembleCoreObject('little', structs('s.a:4'), programs, { sections }));
    expect(check(object, 'MAP_TYPE')).toEqual(['maps FAILS']);
    expect(checkObject(object, { kernel: smallKernel() }, { loader: 'cilium' }).verdict).toBe('FITS');
  });
});
