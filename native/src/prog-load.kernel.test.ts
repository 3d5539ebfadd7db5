import { expect, test } from '@jest/globals';

import { btfGetFdById, progLoad } from './index.js';
import { describeKernel } from './testing/kernel.js';

const SOCKET_FILTER = 1;
/** r0 = 0; exit. The opcodes are the same in both byte orders. */
const RETURN_0 = Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);

describeKernel('progLoad', () => {
  test('passes a program that the verifier accepts, and vmlinux has an id then', () => {
    progLoad(SOCKET_FILTER, RETURN_0, 'GPL');
    using vmlinux = btfGetFdById(1);
    expect(vmlinux.info().name).toBe('vmlinux');
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
