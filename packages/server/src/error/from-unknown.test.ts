import { describe, expect, test } from '@jest/globals';
import { ErrorReason } from '@btfd/api';
import { Spec } from '@btfd/btf';
import { BpfUnavailableError, type BpfCommand } from '@btfd/native';
import { bpfError } from '../testing/fake-kernel.js';
import { ERRNO_REASONS } from './error-table.js';
import { toServiceError } from './from-unknown.js';
import { ServiceError } from './service-error.js';

describe('What a client is told', () => {
  test('of a ServiceError is the error itself', () => {
    const error = new ServiceError(ErrorReason.NAME_NOT_FOUND, 'no such name');
    expect(toServiceError(error)).toBe(error);
  });

  test.each(Object.entries(ERRNO_REASONS))(
    'of the kernel’s %s is its reason, command and name',
    (code, reason) => {
      const told = toServiceError(bpfError('BPF_BTF_GET_FD_BY_ID', code));
      expect(told).toMatchObject({ reason, metadata: { command: 'BPF_BTF_GET_FD_BY_ID', errno_name: code } });
      expect(told.message).toContain(code);
    },
  );

  test.each<[BpfCommand, string]>([
    ['BPF_BTF_LOAD', 'CAP_BPF'],
    ['BPF_PROG_LOAD', 'CAP_BPF'],
    ['BPF_BTF_GET_FD_BY_ID', 'CAP_SYS_ADMIN'],
    ['BPF_BTF_GET_NEXT_ID', 'CAP_SYS_ADMIN'],
  ])('of a refusal of %s is that the daemon lacks %s', (command, capability) => {
    expect(toServiceError(bpfError(command, 'EPERM')).message).toMatch(`lacks ${capability}:`);
  });

  test('of a machine without bpf(2) is that it has none', () => {
    const told = toServiceError(new BpfUnavailableError('this is darwin', null));
    expect(told).toMatchObject({ reason: ErrorReason.KERNEL_LACKS_SUPPORT });
    expect(told.message).toContain('this is darwin');
  });

  test('of BTF that can’t be decoded is where', () => {
    const told = (() => {
      try {
        Spec.parse(new Uint8Array(24));
      } catch (error) {
        return toServiceError(error);
      }
      throw new Error('it was parsed');
    })();
    expect(told).toMatchObject({ reason: ErrorReason.BTF_UNDECODABLE, metadata: { offset: '0' } });
  });

  test.each<[string, unknown]>([
    ['an Error', new Error('secret')],
    ['a string', 'secret'],
    ['nothing', undefined],
    ['null', null],
    ['an object', { message: 'secret', reason: ErrorReason.NAME_NOT_FOUND }],
    ['an errno without reason', bpfError('BPF_BTF_GET_NEXT_ID', 'EFAULT')],
  ])('of %s is nothing but that it is internal', (_, thrown) => {
    const told = toServiceError(thrown);
    expect(told.reason).toBe(ErrorReason.INTERNAL);
    expect(told.message).toBe('internal error: see the daemon’s log');
    expect([told.metadata, told.violations]).toEqual([{}, []]);
    expect(told.cause).toBe(thrown);
  });
});
