import { expect, test } from '@jest/globals';
import { BtfFormatError, BtfLookupError } from '@btfd/btf';
import { BtfError } from '@btfd/client';
import { notFound } from './cli-error.js';
import { explainError } from './explain-error.js';

/** The gRPC codes of these tests. */
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const UNAVAILABLE = 14;

const unreachable = (cause: string): BtfError =>
  new BtfError({
    code: UNAVAILABLE,
    reason: 'UNREACHABLE',
    message: `the daemon at unix:/run/btfd/btfd.sock cannot be reached: ${cause}`,
  });

test.each([
  ['connect ENOENT /run/btfd/btfd.sock', /^check that btfd is running there/],
  ['certificate has expired', /^renew the certificate of the daemon/],
  ['tlsv13 alert certificate required', /--tls-cert and --tls-key/],
  ['the connection was closed before HTTP/2 began', /--tls-ca/],
  ['the name daemon.invalid cannot be resolved', /^check the name/],
])('an unreachable daemon (%s) is reported with the cause and a hint', (cause, hint) => {
  expect(explainError(unreachable(cause))).toEqual({
    exitCode: 6,
    message: `cannot reach the daemon at unix:/run/btfd/btfd.sock: ${cause}`,
    hint: expect.stringMatching(hint),
  });
});

test('a socket without permission is DENIED, not UNREACHABLE', () => {
  expect(explainError(unreachable('connect EACCES /run/btfd/btfd.sock'))).toEqual({
    exitCode: 7,
    message:
      'you may not open the socket of the daemon at unix:/run/btfd/btfd.sock: connect EACCES /run/btfd/btfd.sock',
    hint: 'join the group of the socket, or run btfctl as its owner',
  });
});

test('a missing role is reported with how btfd assigns roles', () => {
  const error = new BtfError({
    code: PERMISSION_DENIED,
    reason: 'ROLE_FORBIDS',
    message: 'viewers may not load',
  });
  expect(explainError(error)).toMatchObject({
    exitCode: 7,
    message: 'viewers may not load',
    hint: expect.stringMatching(
      /--viewer, --inspector and --loader, such as --loader uid:1000.*`btfctl info`/,
    ),
  });
});

test('a missing capability of the daemon is named, and the hint says how to give it', () => {
  const error = new BtfError({
    code: PERMISSION_DENIED,
    reason: 'DAEMON_LACKS_CAPABILITY',
    message: 'the daemon lacks CAP_SYS_ADMIN',
  });
  expect(explainError(error)).toEqual({
    exitCode: 7,
    message: 'the daemon lacks CAP_SYS_ADMIN',
    hint: expect.stringContaining('run btfd as root, or with CAP_SYS_ADMIN;'),
  });
});

test('an invalid request is a usage error', () => {
  const error = new BtfError({
    code: 3,
    reason: 'INVALID_REQUEST',
    message: 'paths[0]: has too many characters',
  });
  expect(explainError(error)).toEqual({
    exitCode: 2,
    message: 'paths[0]: has too many characters',
    hint: null,
  });
});

test('an unknown reason from a newer daemon still has an exit code', () => {
  const error = (code: number): BtfError => new BtfError({ code, reason: null, message: 'no' });
  expect(explainError(error(PERMISSION_DENIED))).toMatchObject({ exitCode: 7, message: 'no' });
  expect(explainError(error(NOT_FOUND))).toMatchObject({ exitCode: 3, message: 'no' });
});

test('a timeout is reported with how to allow more time', () => {
  const timeout = new DOMException('aborted', 'TimeoutError');
  expect(explainError(timeout)).toMatchObject({ exitCode: 6, hint: expect.stringContaining('--timeout') });
});

test('errors of files and of btfctl itself keep their messages', () => {
  expect(explainError(new BtfFormatError('MISSING_BASE', 'missing base types'))).toMatchObject({
    exitCode: 1,
    message: 'missing base types',
    hint: expect.stringContaining('--base'),
  });
  expect(explainError(new BtfFormatError('NO_BTF', 'no section .BTF'))).toMatchObject({ exitCode: 3 });
  expect(explainError(new BtfLookupError('NOT_FOUND', 'fil', 'no type named "fil"'))).toEqual({
    exitCode: 3,
    message: 'no type named "fil"',
    hint: null,
  });
  expect(explainError(new BtfLookupError('AMBIGUOUS', 'file', 'two'))).toMatchObject({ exitCode: 3 });
  expect(explainError(notFound('no', 'look'))).toEqual({ exitCode: 3, message: 'no', hint: 'look' });
  expect(explainError(new Error('else'))).toEqual({ exitCode: 1, message: 'else', hint: null });
});
