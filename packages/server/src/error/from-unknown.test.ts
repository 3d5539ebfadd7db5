import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ErrorReason } from '@btfd/api';
import { Spec } from '@btfd/btf';
import { BpfUnavailableError, type BpfCommand } from '@btfd/native';
import { bpfError } from '../testing/fake-kernel.js';
import { TempDir } from '../testing/temp-dir.js';
import { ERRNO_REASONS } from './error-table.js';
import { inUserNamespace, toServiceError } from './from-unknown.js';
import { ServiceError } from './service-error.js';

describe('The error that a client gets', () => {
  test('for a ServiceError is the error itself', () => {
    const error = new ServiceError(ErrorReason.NAME_NOT_FOUND, 'no such name');
    expect(toServiceError(error)).toBe(error);
  });

  test.each(Object.entries(ERRNO_REASONS))(
    'for the kernel’s %s has its reason, command and name',
    (code, reason) => {
      const error = toServiceError(bpfError('BPF_BTF_GET_FD_BY_ID', code));
      expect(error).toMatchObject({
        reason,
        metadata: { command: 'BPF_BTF_GET_FD_BY_ID', errno_name: code },
      });
      expect(error.message).toContain(code);
    },
  );

  test.each<[BpfCommand, string]>([
    ['BPF_BTF_LOAD', 'CAP_BPF'],
    ['BPF_PROG_LOAD', 'CAP_BPF'],
    ['BPF_BTF_GET_FD_BY_ID', 'CAP_SYS_ADMIN'],
    ['BPF_BTF_GET_NEXT_ID', 'CAP_SYS_ADMIN'],
  ])('for a refusal of %s says that it needs %s, and not that the daemon lacks it', (command, capability) => {
    expect(toServiceError(bpfError(command, 'EPERM')).message).toMatch(
      `: the daemon needs ${capability}, and a seccomp filter`,
    );
  });

  test.each<[BpfCommand, { sysAdmin: boolean; bpf: boolean }, RegExp]>([
    ['BPF_BTF_LOAD', { sysAdmin: false, bpf: false }, /^the daemon lacks CAP_BPF:/],
    ['BPF_BTF_LOAD', { sysAdmin: false, bpf: true }, /EPERM, although the daemon has CAP_BPF: a seccomp/],
    [
      'BPF_BTF_LOAD',
      { sysAdmin: true, bpf: false },
      /EPERM, although the daemon has CAP_SYS_ADMIN: a seccomp/,
    ],
    ['BPF_BTF_GET_NEXT_ID', { sysAdmin: false, bpf: true }, /^the daemon lacks CAP_SYS_ADMIN:/],
    ['BPF_BTF_GET_NEXT_ID', { sysAdmin: true, bpf: true }, /EPERM, although the daemon has CAP_SYS_ADMIN/],
  ])('for a refusal of %s with the rights %j is like %s', (command, rights, message) => {
    expect(toServiceError(bpfError(command, 'EPERM'), rights).message).toMatch(message);
  });

  test('on a machine without bpf(2) says so', () => {
    const error = toServiceError(new BpfUnavailableError('this is darwin', null));
    expect(error).toMatchObject({ reason: ErrorReason.KERNEL_LACKS_SUPPORT });
    expect(error.message).toContain('this is darwin');
  });

  test('for BTF that cannot be decoded says where', () => {
    const error = (() => {
      try {
        Spec.parse(new Uint8Array(24));
      } catch (thrown) {
        return toServiceError(thrown);
      }
      throw new Error('it was parsed');
    })();
    expect(error).toMatchObject({ reason: ErrorReason.BTF_UNDECODABLE, metadata: { offset: '0' } });
  });

  test.each(['EMFILE', 'ENFILE'])(
    'for %s of a file says that the daemon has too many, without its path',
    (code) => {
      const error = toServiceError(Object.assign(new Error(`${code}: open '/secret'`), { code }));
      expect([error.reason, error.message]).toEqual([
        ErrorReason.OUT_OF_FILES,
        'the daemon has as many open files as it may have',
      ]);
    },
  );

  test.each<[string, unknown]>([
    ['an Error', new Error('secret')],
    ['a string', 'secret'],
    ['nothing', undefined],
    ['null', null],
    ['an object', { message: 'secret', reason: ErrorReason.NAME_NOT_FOUND }],
    ['an errno without reason', bpfError('BPF_BTF_GET_NEXT_ID', 'EFAULT')],
  ])('for %s says only that it is internal', (_, thrown) => {
    const error = toServiceError(thrown);
    expect(error.reason).toBe(ErrorReason.INTERNAL);
    expect(error.message).toBe('internal error: see the daemon’s log');
    expect([error.metadata, error.violations]).toEqual([{}, []]);
    expect(error.cause).toBe(thrown);
  });
});

describe('The user namespace', () => {
  test.each([
    ['the initial one', 'user:[4026531837]', false],
    ['another one', 'user:[4026532421]', true],
  ])('of a process in %s', (_, target, expected) => {
    using dir = new TempDir();
    const link = join(dir.path, 'user');
    symlinkSync(target, link);
    expect(inUserNamespace(link)).toBe(expected);
  });

  test('that a process cannot see counts as the initial one', () => {
    expect(inUserNamespace('/nonexistent')).toBe(false);
  });
});
