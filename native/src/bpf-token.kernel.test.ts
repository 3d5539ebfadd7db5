import { closeSync, openSync } from 'node:fs';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DelegatedBpffs, needs } from 'test-tools';

import { tokenCreate } from './index.js';
import { runNode } from './testing/run-node.js';

const CLOSED_FD = 0x7fff_ffff;

/** A program that prints the outcome of each call with a token of the bpffs in a folder. */
const calls = (folder: string) => `
  const outcome = async (name, call) => {
    try {
      const value = await call();
      console.log(name, 'ok');
      return value;
    } catch (error) {
      console.log(name, error.command ?? error.name, error.code ?? error.message);
      return null;
    }
  };
  await outcome('load without', () => native.btfLoad(intBtf(), 0));
  const token = await outcome('create', () => native.tokenCreate(openSync(${JSON.stringify(folder)}, 'r')));
  if (token !== null) {
    (await outcome('load', () => native.btfLoad(intBtf(), 0, token)))?.close();
    await outcome('load refused', () => native.btfLoad(refusedBtf(), 4096, token));
    (await outcome('open', () => native.btfGetFdById(1, token)))?.close();
    console.log('closes', token.fd > 0, token.close(), token.close(), token.fd);
    await outcome('load after', () => native.btfLoad(intBtf(), 0, token));
  }
  await outcome('open without', () => native.btfGetFdById(1));`;

const WITHOUT = ['load without BPF_BTF_LOAD EPERM'];
const AFTER = [
  'closes true true false -1',
  'load after RangeError token must be open, but it is closed',
  'open without BPF_BTF_GET_FD_BY_ID EPERM',
];

needs('bpf-token', 'gcc', 'setpriv').describe('tokenCreate', () => {
  let bpffs: DelegatedBpffs;
  beforeAll(() => {
    bpffs = new DelegatedBpffs();
  });
  afterAll(() => bpffs[Symbol.dispose]());

  const outcomes = async (wrapper: readonly string[]) => {
    const { stdout, stderr } = await runNode(calls(bpffs.folder), { wrapper });
    expect(stderr).toBe('');
    return stdout.trimEnd().split('\n');
  };

  test('returns a token that loads BTF, if the bpffs delegates loading', async () => {
    expect(await outcomes(bpffs.wrapper('0x40000'))).toEqual([
      ...WITHOUT,
      'create ok',
      'load ok',
      'load refused BPF_BTF_LOAD EINVAL',
      'open BPF_BTF_GET_FD_BY_ID EPERM',
      ...AFTER,
    ]);
  });

  test('returns a token that opens objects by id, if the bpffs delegates that and the kernel takes tokens for it', async () => {
    const open = (await outcomes(bpffs.wrapper('0xc0000'))).find((line) => line.startsWith('open '));
    // EINVAL before Linux 6.15.
    expect(open).toMatch(/^open (ok|BPF_BTF_GET_FD_BY_ID EINVAL)$/);
  });

  test('returns a token that does nothing here, if the bpffs delegates other commands', async () => {
    const lines = await outcomes(bpffs.wrapper('0x1'));
    expect(lines).toContain('create ok');
    expect(lines).toContain('load BPF_BTF_LOAD EPERM');
  });

  test.each<[string, string, readonly string[], string]>([
    ['a bpffs that delegates nothing', '0', [], 'ENOENT'],
    ['no CAP_BPF', 'any', ['setpriv', '--inh-caps=-bpf', '--bounding-set=-bpf'], 'EPERM'],
    ['a bpffs of another user namespace', 'any', ['unshare', '--user', '--map-root-user'], 'EPERM'],
  ])('throws for %s', async (_, delegateCmds, inside, code) => {
    const lines = await outcomes([...bpffs.wrapper(delegateCmds), ...inside]);
    expect(lines).toContain(`create BPF_TOKEN_CREATE ${code}`);
  });

  test('throws for a folder of another file system, and for a file descriptor that is not open', () => {
    const bpfError = (code: string) =>
      expect.objectContaining({ name: 'BpfError', command: 'BPF_TOKEN_CREATE', code });
    const root = openSync('/', 'r');
    expect(() => tokenCreate(root)).toThrow(bpfError('EINVAL'));
    closeSync(root);
    expect(() => tokenCreate(CLOSED_FD)).toThrow(bpfError('EBADF'));
  });
});
