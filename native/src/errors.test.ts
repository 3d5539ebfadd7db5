import { describe, expect, test } from '@jest/globals';

import { BpfError, BpfUnavailableError, BtfFdClosedError, type BpfCommand } from './errors.js';

describe('BpfError', () => {
  test.each<[BpfCommand, number, string | null, string, string]>([
    [
      'BPF_BTF_GET_FD_BY_ID',
      2,
      'id 7',
      'ENOENT',
      'BPF_BTF_GET_FD_BY_ID of id 7: ENOENT (no such file or directory)',
    ],
    ['BPF_BTF_LOAD', 1, null, 'EPERM', 'BPF_BTF_LOAD: EPERM (operation not permitted)'],
    ['BPF_BTF_LOAD', 524, null, 'ENOTSUPP', 'BPF_BTF_LOAD: ENOTSUPP (operation is not supported)'],
    ['dup', 109, 'fd 3', 'ETOOMANYREFS', 'dup of fd 3: ETOOMANYREFS (too many references: cannot splice)'],
    ['dup', 4000, 'fd 3', 'E4000', 'dup of fd 3: E4000 (unknown error)'],
  ])('%s with errno %i of %s is %s', (command, errno, object, code, message) => {
    const error = new BpfError(command, errno, object, null);
    expect(error).toMatchObject({ name: 'BpfError', command, errno, code, message, log: null });
    expect(error).toBeInstanceOf(Error);
  });
});

test('BpfUnavailableError has a reason and the cause', () => {
  const cause = new Error('no such file');
  const error = new BpfUnavailableError('the addon is not built', cause);
  expect(error.message).toBe('bpf(2) is not available: the addon is not built');
  expect(error.cause).toBe(cause);
});

test('BtfFdClosedError names the method', () => {
  expect(new BtfFdClosedError('read').message).toBe('BtfFd.read: the file descriptor is closed');
});
