import { expect, test } from '@jest/globals';
import { BtfFormatError } from '@btfd/btf';
import { BtfError } from '@btfd/client';
import { notFound } from './cli-error.js';
import { explainError } from './explain-error.js';

/** The gRPC codes of these tests. */
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const UNAVAILABLE = 14;

/** Recorded from grpc-js 1.14 on Node 20. */
const SAID = {
  gone: 'No connection established. Last error: Error: connect ENOENT /run/btfd/btfd.sock. Resolution note: ',
  closed:
    'No connection established. Last error: Error: connect EACCES /run/btfd/btfd.sock. Resolution note: ',
  tls: 'No connection established. Last error: 807CAC594C7F0000:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:1601:SSL alert number 116\n (2026-11-25T10:28:24.347Z). Resolution note: ',
  expired:
    'No connection established. Last error: Error: certificate has expired (2026-11-25T13:03:24.347Z). Resolution note: ',
  plain:
    'No connection established. Last error: Failed to connect (2026-11-25T10:28:22.384Z). Resolution note: ',
};

const unreachable = (said: string): BtfError =>
  new BtfError({
    code: UNAVAILABLE,
    reason: 'UNREACHABLE',
    message: `the daemon at unix:/run/btfd/btfd.sock cannot be reached: ${said}`,
  });

test.each([
  ['gone', 'connect ENOENT /run/btfd/btfd.sock', /^is btfd running there\?/],
  ['expired', 'certificate has expired', /^renew the certificate of the daemon/],
  ['tls', 'tlsv13 alert certificate required', /--tls-cert and --tls-key/],
  ['plain', 'Failed to connect', /--tls-ca/],
] as const)(
  'a daemon that cannot be reached (%s) is told with its cause and what to do',
  (name, cause, hint) => {
    expect(explainError(unreachable(SAID[name]))).toEqual({
      exitCode: 6,
      message: `no daemon answers at unix:/run/btfd/btfd.sock: ${cause}`,
      hint: expect.stringMatching(hint),
    });
  },
);

test('a socket that one may not open is denied, not a daemon that is away', () => {
  expect(explainError(unreachable(SAID.closed))).toEqual({
    exitCode: 7,
    message:
      'you may not open the socket of the daemon at unix:/run/btfd/btfd.sock: connect EACCES /run/btfd/btfd.sock',
    hint: 'join its group, or run btfctl as its owner',
  });
});

test('a role that forbids is told with how btfd gives another', () => {
  const error = new BtfError({
    code: PERMISSION_DENIED,
    reason: 'ROLE_FORBIDS',
    message: 'viewers may not load',
  });
  expect(explainError(error)).toMatchObject({
    exitCode: 7,
    message: 'viewers may not load',
    hint: expect.stringMatching(
      /--viewer, --inspector and --loader of btfd, as in --loader uid:1000.*`btfctl info`/,
    ),
  });
});

test('a daemon that lacks a capability says which, and the hint how to give it', () => {
  const error = new BtfError({
    code: PERMISSION_DENIED,
    reason: 'DAEMON_LACKS_CAPABILITY',
    message: 'the daemon lacks CAP_SYS_ADMIN',
  });
  expect(explainError(error)).toEqual({
    exitCode: 7,
    message: 'the daemon lacks CAP_SYS_ADMIN',
    hint: expect.stringContaining('run btfd as root, or with CAP_SYS_ADMIN and CAP_BPF'),
  });
});

test('what the daemon cannot make sense of is wrong use', () => {
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

test('what a newer daemon refuses for a reason that is not known here still has its code', () => {
  const error = (code: number): BtfError => new BtfError({ code, reason: null, message: 'no' });
  expect(explainError(error(PERMISSION_DENIED))).toMatchObject({ exitCode: 7, message: 'no' });
  expect(explainError(error(NOT_FOUND))).toMatchObject({ exitCode: 3, message: 'no' });
});

test('a time that ran out is told with how to allow more', () => {
  const timeout = new DOMException('aborted', 'TimeoutError');
  expect(explainError(timeout)).toMatchObject({ exitCode: 6, hint: expect.stringContaining('--timeout') });
});

test('errors of files and of btfctl itself keep their words', () => {
  expect(explainError(new BtfFormatError('MISSING_BASE', 'missing base types'))).toMatchObject({
    exitCode: 1,
    message: 'missing base types',
    hint: expect.stringContaining('--base'),
  });
  expect(explainError(notFound('no', 'look'))).toEqual({ exitCode: 3, message: 'no', hint: 'look' });
  expect(explainError(new Error('else'))).toEqual({ exitCode: 1, message: 'else', hint: null });
});
