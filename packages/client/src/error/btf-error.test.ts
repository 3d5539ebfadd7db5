import type { ErrorDetails } from '@btfd/api';
import { withErrorDetails } from '@btfd/api/grpc-js';
import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { BtfError } from './btf-error.js';

interface FailureInit extends Partial<ErrorDetails> {
  readonly code: status;
  readonly message?: string;
}

/** Returns an error of the daemon as grpc-js passes it on. */
function failure({ code, message = 'no', ...details }: FailureInit): StatusObject {
  return { code, details: message, metadata: withErrorDetails(new Metadata(), code, message, details) };
}

function serviceError(object: StatusObject): Error {
  return Object.assign(new Error('5 NOT_FOUND: as grpc-js says it'), object);
}

describe('from a gRPC error', () => {
  test('takes code, reason, metadata and message, and keeps the cause', () => {
    const cause = serviceError(
      failure({
        code: status.NOT_FOUND,
        message: 'no BTF object 7',
        reason: 'BTF_ID_NOT_FOUND',
        metadata: { id: '7' },
      }),
    );
    const error = BtfError.from(cause);
    expect(error).toMatchObject({
      name: 'BtfError',
      code: status.NOT_FOUND,
      codeName: 'NOT_FOUND',
      reason: 'BTF_ID_NOT_FOUND',
      metadata: { id: '7' },
      message: 'no BTF object 7 [NOT_FOUND, BTF_ID_NOT_FOUND]',
      rawMessage: 'no BTF object 7',
      verifierLog: null,
      fieldViolations: [],
    });
    expect(error.cause).toBe(cause);
  });

  test('takes field violations', () => {
    const fieldViolations = [{ field: 'ttl', description: 'is negative' }];
    const init = {
      code: status.INVALID_ARGUMENT,
      message: 'bad request',
      reason: 'INVALID_REQUEST',
      fieldViolations,
    };
    const error = BtfError.from(serviceError(failure(init)));
    expect(error.fieldViolations).toEqual(fieldViolations);
    expect(error.rawMessage).toBe('bad request; ttl: is negative');
  });

  test('takes quotas, and when to come back', () => {
    const quotaViolations = [{ subject: 'uid:1000', description: 'handles: at most 100' }];
    const init = { code: status.RESOURCE_EXHAUSTED, reason: 'LOAD_QUEUE_FULL', quotaViolations };
    const error = BtfError.from(serviceError(failure({ ...init, retryDelay: 1500 })));
    expect(error.quotaViolations).toEqual(quotaViolations);
    expect(error.retryDelay).toBe(1500);
    expect(BtfError.from(serviceError(failure({ code: status.NOT_FOUND }))).retryDelay).toBeNull();
  });

  test('takes the metadata of another copy of grpc-js, which has a class of its own', () => {
    const { metadata: trailers, ...object } = failure({ code: status.NOT_FOUND, reason: 'BTF_ID_NOT_FOUND' });
    const metadata = { get: (key: string) => trailers.get(key) };
    expect(BtfError.from(Object.assign(new Error('5'), object, { metadata })).reason).toBe(
      'BTF_ID_NOT_FOUND',
    );
  });

  test('does not repeat field violations that are in the message already', () => {
    const error = BtfError.from(
      serviceError(
        failure({
          code: status.INVALID_ARGUMENT,
          message: 'ttl: must be positive',
          fieldViolations: [
            { field: 'ttl', description: 'must be positive' },
            { field: 'id', description: 'must not be 0' },
          ],
        }),
      ),
    );
    expect(error.rawMessage).toBe('ttl: must be positive; id: must not be 0');
  });

  test.each([
    [
      { log: 'Invalid magic', log_truncated: 'true', log_true_size: '70000' },
      { text: 'Invalid magic', truncated: true, trueSize: 70000 },
    ],
    [
      { log: 'Invalid magic', log_truncated: 'false' },
      { text: 'Invalid magic', truncated: false, trueSize: null },
    ],
  ])('takes the verifier log of %j', (metadata, log) => {
    const init = { code: status.INVALID_ARGUMENT, reason: 'VERIFIER_REJECTED', metadata };
    expect(BtfError.from(serviceError(failure(init))).verifierLog).toEqual(log);
  });

  test.each([
    ['an unknown reason', { reason: 'FROM_THE_FUTURE' }],
    ['the number of a reason', { reason: '2' }],
    ['the reason that means none', { reason: 'UNSPECIFIED' }],
    ['no reason', {}],
  ])('has no reason if the details have %s', (_, init) => {
    expect(BtfError.from(serviceError(failure({ code: status.NOT_FOUND, ...init }))).reason).toBeNull();
  });

  test('keeps code and message if the details are malformed', () => {
    const metadata = new Metadata();
    metadata.set('grpc-status-details-bin', Buffer.from([0xff, 0xff, 0xff]));
    const error = BtfError.from(serviceError({ code: status.NOT_FOUND, details: 'gone', metadata }));
    expect(error).toMatchObject({ code: status.NOT_FOUND, reason: null, rawMessage: 'gone' });
  });
});

test('from another value is UNKNOWN, with the value as the cause', () => {
  const cause = new TypeError('oops');
  expect(BtfError.from(cause)).toMatchObject({
    code: status.UNKNOWN,
    reason: null,
    rawMessage: 'oops',
    cause,
  });
  expect(BtfError.from('a string')).toMatchObject({ rawMessage: 'a string', cause: 'a string' });
});

test('from a BtfError is that error', () => {
  const error = BtfError.from(new Error('x'));
  expect(BtfError.from(error)).toBe(error);
});

test('isBtfError recognises a BtfError and nothing else', () => {
  expect(BtfError.isBtfError(BtfError.from(new Error('x')))).toBe(true);
  expect(BtfError.isBtfError(new Error('x'))).toBe(false);
  expect(BtfError.isBtfError({ name: 'BtfError' })).toBe(false);
  expect(BtfError.isBtfError(null)).toBe(false);
});
