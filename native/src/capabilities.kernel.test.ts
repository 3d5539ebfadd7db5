import { readFileSync } from 'node:fs';

import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';

import { capabilities } from './index.js';

import { runNode } from './testing/run-node.js';
import { vmlinuxId } from './testing/vmlinux.js';

/** A program that prints its capabilities, and the outcome of each command. */
const calls = (id: number) => `
  const { effective, sysAdmin, bpf } = native.capabilities();
  console.log(effective, sysAdmin, bpf);
  const outcome = async (call) => {
    try {
      const value = await call();
      value?.close?.();
      return 'ok';
    } catch (error) {
      return [error.constructor.name, error.command, error.code, error.log].join(' ').trimEnd();
    }
  };
  console.log(await outcome(() => native.btfLoad(intBtf(), 4096)));
  console.log(await outcome(() => native.btfGetFdById(${id})));
  console.log(await outcome(() => native.btfGetNextId(0)));
  console.log(await outcome(() => native.progGetNextId(0)));
  console.log(await outcome(() => native.progGetInfoById(1)));
  console.log(await outcome(() => native.mapGetNextId(0)));
  console.log(await outcome(() => native.mapGetInfoById(1)));`;

const IDS_REFUSED = [
  'BTF_GET_FD_BY_ID',
  'BTF_GET_NEXT_ID',
  'PROG_GET_NEXT_ID',
  'PROG_GET_FD_BY_ID',
  'MAP_GET_NEXT_ID',
  'MAP_GET_FD_BY_ID',
].map((command) => `BpfError BPF_${command} EPERM`);

needs('bpf').describe('capabilities', () => {
  test('are those in the status file of the thread', () => {
    const status = readFileSync('/proc/thread-self/status', 'latin1');
    const effective = BigInt(`0x${/^CapEff:\s+(\w+)$/m.exec(status)?.[1]}`);
    expect(capabilities().effective).toBe(effective);
  });

  test.each([
    [
      'none: every command is refused',
      '-all',
      ['0n false false', 'BpfError BPF_BTF_LOAD EPERM', ...IDS_REFUSED],
    ],
    [
      'CAP_BPF: loading is allowed, ids are not',
      '-all,+bpf',
      [`${1n << 39n}n false true`, 'ok', ...IDS_REFUSED],
    ],
    [
      'CAP_SYS_ADMIN: everything is allowed',
      '-all,+sys_admin',
      [`${1n << 21n}n true false`, 'ok', ...IDS_REFUSED.map(() => 'ok')],
    ],
  ])('decide: %s', async (_, set, lines) => {
    const wrapper = ['setpriv', `--inh-caps=${set}`, `--bounding-set=${set}`];
    const { stdout, stderr } = await runNode(calls(vmlinuxId()), { wrapper });
    expect(stderr).toBe('');
    expect(stdout.trimEnd().split('\n')).toEqual(lines);
  });
});
