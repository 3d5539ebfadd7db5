import { describe, expect, test } from '@jest/globals';
import { parseBpfObject } from '../../object/bpf-object.js';
import { assembleCoreObject, EXIT } from '../../testing/assemble-ext.js';
import { needsOf } from '../../testing/check-case.js';
import { structs } from '../../testing/core-structs.js';
import { smallKernel } from '../../testing/small-kernel.js';
import { checkObject } from '../check-object.js';
import { matches } from './patterns.js';

test.each([
  ['tcp_v4_connect', 'tcp_v4_connect', true],
  ['tcp_v4_connect', 'tcp_*', true],
  ['tcp_v4_connect', '*connect', true],
  ['tcp_v4_connect', 'tcp_v?_*nect', true],
  ['tcp_v4_connect', '*v6*', false],
  ['tcp_v4_connect', 'tcp_v4_connec', false],
  ['tcp_v4_connect', 'tcp_v4_connect?', false],
  ['tcp_v4_connect', '*', true],
  ['tcp_v4_connect', '', false],
  ['', '*', true],
  ['aab', '*ab', true],
])('%s matches %s: %s', (name, glob, expected) => {
  expect(matches(name, glob)).toBe(expected);
});

test('a pattern of many stars does not take long', () => {
  expect(matches('a'.repeat(512), `${'*a'.repeat(250)}*b`)).toBe(false);
});

describe('A pattern', () => {
  const kernel = smallKernel({ more: (types) => types.function('tcp_v4_connect', types.int, []) });
  const modules = [
    {
      name: 'xfs',
      spec: () =>
        smallKernel({ base: kernel, more: (types) => types.function('xfs_open', types.int, [types.int]) }),
    },
  ];
  const attach = (...sections: string[]) => {
    const programs = sections.map((section, i) => ({ name: `p${i}`, section, instructions: [EXIT] }));
    const object = parseBpfObject(assembleCoreObject('little', structs('s.a:4'), programs));
    const report = checkObject(object, { kernel, modules });
    return [...needsOf(report, 'ATTACH_TARGET'), ...needsOf(report, 'SYMBOL')].map(
      ({ verdict, object: found, reason }) => [verdict, found, reason],
    );
  };
  const missing = "no function of the kernel's BTF matches, so the program does not attach";
  const symbols = 'the symbols of the kernel decide what matches';

  test('of functions of BTF fits if one matches', () => {
    expect(attach('fentry.multi/tcp_*')).toEqual([['FITS', 'vmlinux', '']]);
    expect(attach('fexit.multi.s/udp_*')).toEqual([['AT_RISK', null, missing]]);
    expect(attach('fsession.multi/xfs:*')).toEqual([['FITS', 'xfs', '']]);
    expect(attach('fentry.multi/ext4:*')).toEqual([['AT_RISK', null, missing]]);
  });

  test('of symbols is not known, but BTF is a hint', () => {
    expect(attach('kprobe.multi/tcp_*')).toEqual([
      ['UNKNOWN', 'vmlinux', `${symbols}: its BTF has a function that matches`],
    ]);
    expect(attach('kprobe.session/udp_*')).toEqual([
      ['UNKNOWN', null, `${symbols}: the kernel's BTF has no function that matches`],
    ]);
    expect(attach('ksyscall/openat')).toEqual([['UNKNOWN', null, symbols]]);
  });

  test('is looked for among 64 at most', () => {
    const verdicts = attach(...Array.from({ length: 66 }, (_, i) => `fentry.multi/tcp_${i}*`));
    expect(verdicts.map(([verdict]) => verdict).lastIndexOf('AT_RISK')).toBe(63);
    expect(verdicts.at(-1)).toEqual(['UNKNOWN', null, 'the object has more than 64 patterns']);
  });
});
