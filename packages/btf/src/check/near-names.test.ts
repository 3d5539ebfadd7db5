import { expect, test } from '@jest/globals';
import type { RelocationKind } from '../ext/records.js';
import { parseBpfObject } from '../object/bpf-object.js';
import { assembleCoreObject, EXIT } from '../testing/assemble-ext.js';
import { checkCase, checkProgram, needsOf } from '../testing/check-case.js';
import { addStruct, program, specOf, structs } from '../testing/core-structs.js';
import { smallKernel } from '../testing/small-kernel.js';
import { checkObject } from './check-object.js';
import { KernelObjects } from './kernel-objects.js';
import { NearNames } from './near-names.js';

/** The names near what the first relocation of an object lacks: a member of a struct `inode` of the kernel. */
function nearMember(
  kernel: string,
  local: string,
  kind: RelocationKind = 'FIELD_BYTE_OFFSET',
): readonly string[] {
  const types = structs('other.x:4', kernel);
  const relocation = { instruction: 0, typeId: 4, access: '0:0', kind };
  const file = assembleCoreObject('little', structs('none.x:4', local), [
    program('p', [[4, '0:0', 0]], { section: 'socket', relocations: [relocation] }),
  ]);
  const { programs } = checkObject(parseBpfObject(file), { kernel: specOf(types) });
  return programs[0]?.relocations[0]?.near ?? [];
}

test('a missing member has the names of members with its words, and then of misspelt ones', () => {
  const near = (members: string, missing: string) => nearMember(`inode.${members}`, `inode.${missing}:4`);
  expect(near('i_size:4,i_ctime_nsec:4,i_ctime_sec:4', 'i_ctime')).toEqual([
    'i_ctime_sec',
    'i_ctime_nsec',
    'i_size',
  ]);
  expect(near('__state:4,exit_state:4,stat:4', 'state')).toEqual(['__state', 'exit_state', 'stat']);
  expect(near('i_ctim:4,mode:4', 'i_ctime')).toEqual(['i_ctim']);
  expect(near('ab_c:4', 'ab')).toEqual([]);
});

test('a missing type has the names of types that are near', () => {
  expect(nearMember('inode.x:4', 'inod.x:4')).toEqual(['inode']);
});

test('only what may fail has such names', () => {
  expect(nearMember('inode.i_ctim:4', 'inode.i_ctime:4', 'FIELD_EXISTS')).toEqual([]);
});

test('needs have them', () => {
  const near = (section: string): readonly string[] => {
    const file = assembleCoreObject('little', structs('s.a:4'), [
      { name: 'p', section, instructions: [EXIT] },
    ]);
    const kernel = smallKernel({
      more: (types) => {
        types.function('tcp_v4_connect', types.int, []);
        types.function('__blk_account_io_start', types.int, []);
        types.function('bpf_lsm_file_open', types.int, []);
      },
    });
    const report = checkObject(parseBpfObject(file), { kernel });
    return needsOf(report, 'ATTACH_TARGET').flatMap((need) => need.near);
  };
  expect(near('fentry/tcp_v4_conect')).toEqual(['tcp_v4_connect']);
  expect(near('lsm/file_opn')).toEqual(['file_open']);
  expect(near('fentry/blk_account_io_start')).toEqual(['__blk_account_io_start']);
  expect(near('fentry/nothing_like_it')).toEqual([]);
});

test('a missing member of a struct of functions has them', () => {
  const kernel = smallKernel({
    withoutStructOps: true,
    more: (types) => {
      const ops = types.struct('no_such_ops', [['functions', types.pointer, 8]]);
      types.struct('bpf_struct_ops_no_such_ops', [['data', ops, 8]]);
    },
  });
  const report = checkProgram(checkCase('struct-ops-struct'), { kernel }, 'ssthresh');
  expect(needsOf(report, 'STRUCT_OPS_MEMBER').map(({ name, near }) => [name, near])).toEqual([
    ['no_such_ops.function', ['functions']],
  ]);
});

test('at most 64 names are looked for, each once', () => {
  const types = structs('other.x:4');
  for (let i = 0; i < 100; i++) addStruct(types, `name_${i}.x:4`);
  const kernel = specOf(types);
  const near = new NearNames(new KernelObjects({ kernel }), kernel);
  const found = Array.from({ length: 100 }, (_, i) => near.ofType('STRUCT', `name_${i}x`));
  expect(found.filter((names) => names.length > 0)).toHaveLength(64);
  expect(near.ofType('STRUCT', 'name_0x')).toBe(found[0]);
});
