import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';

import { progLoad } from './index.js';

import { RETURN_0, vmlinuxId } from './testing/vmlinux.js';

const SOCKET_FILTER = 1;

needs('bpf').describe('progLoad', () => {
  test('accepts a valid program, and vmlinux has an id afterwards', () => {
    expect(vmlinuxId()).toBeGreaterThan(0);
  });

  test.each([
    ['without instructions', SOCKET_FILTER, new Uint8Array(), 'E2BIG'],
    ['that does not end', SOCKET_FILTER, RETURN_0.subarray(0, 8), 'EINVAL'],
    ['of an unknown type', 0xffff_ffff, RETURN_0, 'EINVAL'],
  ])('throws the errno for a program %s', (_, type, instructions, code) => {
    const error: unknown = (() => {
      try {
        progLoad(type, instructions, 'GPL');
      } catch (thrown) {
        return thrown;
      }
      return null;
    })();
    expect(error).toMatchObject({ name: 'BpfError', command: 'BPF_PROG_LOAD', code });
  });
});
