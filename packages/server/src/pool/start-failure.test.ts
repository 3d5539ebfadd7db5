import { describe, expect, test } from '@jest/globals';
import { ErrorReason } from '@btfd/api';
import { FILES_OF_A_START, startFailure } from './start-failure.js';

const nodeError = (code: string, message: string): Error => Object.assign(new Error(message), { code });
const missing = nodeError('ERR_MODULE_NOT_FOUND', "Cannot find package '/secret/lru-cache/index.js'");

/** The errors of Node 20, from a process with few files or threads. */
const LACKS: readonly (readonly [Error, string, ErrorReason])[] = [
  [
    nodeError('ERR_WORKER_INIT_FAILED', 'Worker initialization failure: EMFILE'),
    'has as many open files as it may have',
    ErrorReason.OUT_OF_FILES,
  ],
  [
    nodeError('EMFILE', "EMFILE: too many open files, open '/secret/main.js'"),
    'has as many open files as it may have',
    ErrorReason.OUT_OF_FILES,
  ],
  [
    nodeError('ERR_WORKER_INIT_FAILED', 'Worker initialization failure: ENFILE'),
    'has as many open files as it may have',
    ErrorReason.OUT_OF_FILES,
  ],
  [nodeError('ERR_WORKER_INIT_FAILED', 'EAGAIN'), 'cannot start a thread: EAGAIN', ErrorReason.OUT_OF_MEMORY],
  [
    nodeError('ERR_WORKER_INIT_FAILED', 'Worker initialization failure: ENOMEM'),
    'cannot start a thread: ENOMEM',
    ErrorReason.OUT_OF_MEMORY,
  ],
];

describe('A worker that cannot start', () => {
  test.each(LACKS)('because of %s says that the daemon %s', (error, message, reason) => {
    const failure = startFailure(error, () => Infinity);
    expect(failure).toMatchObject({ reason, message: `the daemon ${message}`, cause: error, retryMs: 1_000 });
  });

  test('for lack of a module lacks files, if there are few', () => {
    expect(startFailure(missing, () => FILES_OF_A_START - 1).reason).toBe(ErrorReason.OUT_OF_FILES);
    const failure = startFailure(missing, () => FILES_OF_A_START);
    expect([failure.reason, failure.cause]).toEqual([ErrorReason.INTERNAL, missing]);
  });
});
