import { readFileSync } from 'node:fs';
import { create, toBinary } from '@bufbuild/protobuf';
import { anyPack, durationFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from '@jest/globals';
import { Metadata, status } from '@grpc/grpc-js';
import {
  decodeStatus,
  encodeStatus,
  ERROR_DOMAIN,
  ErrorInfoSchema,
  ErrorReason,
  isErrorReason,
  RetryInfoSchema,
  type Status,
  StatusSchema,
} from './index.js';
import { errorDetailsOf, withErrorDetails } from './grpc-js.js';

const NO_DETAILS = {
  reason: null,
  metadata: {},
  fieldViolations: [],
  quotaViolations: [],
  retryDelay: null,
};

/** The details that a Status with these is decoded to. */
function decoded(...details: Status['details']) {
  return decodeStatus(toBinary(StatusSchema, create(StatusSchema, { code: 3, message: 'no', details })));
}

const infoOf = (domain: string) =>
  anyPack(ErrorInfoSchema, create(ErrorInfoSchema, { reason: 'INTERNAL', domain, metadata: { id: '7' } }));

const retryAfter = (ms: number) =>
  anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay: durationFromMs(ms) }));

test.each([
  ['nothing', {}],
  ['a reason', { reason: 'BTF_ID_NOT_FOUND', metadata: { id: '7', empty: '' } }],
  ['a reason of a later release', { reason: 'SOMETHING_NEW' }],
  ['field violations', { fieldViolations: [{ field: 'ttl', description: 'must be positive' }] }],
  ['a delay', { retryDelay: 1_500 }],
  [
    'everything',
    {
      reason: 'QUOTA_EXCEEDED',
      metadata: { quota: 'handles', limit: '2' },
      fieldViolations: [{ field: 'a', description: 'b' }],
      quotaViolations: [
        { subject: 'principal:uid:1', description: '2 of 2 handles are open' },
        { subject: 'daemon', description: '' },
      ],
      retryDelay: 0,
    },
  ],
])('%s in a status is decoded as it was encoded', (_, details) => {
  expect(decodeStatus(encodeStatus(8, 'no', details))).toEqual({ ...NO_DETAILS, ...details });
  expect(errorDetailsOf(withErrorDetails(new Metadata(), 8, 'no', details))).toEqual({
    ...NO_DETAILS,
    ...details,
  });
});

test('a delay is never shortened to a part of a millisecond', () => {
  expect(decodeStatus(encodeStatus(8, 'no', { retryDelay: 0.2 })).retryDelay).toBe(1);
});

test('an ErrorInfo of another domain is skipped', () => {
  expect(decoded(infoOf('googleapis.com'))).toEqual(NO_DETAILS);
  expect(decoded(infoOf(ERROR_DOMAIN), infoOf('googleapis.com'))).toMatchObject({
    reason: 'INTERNAL',
    metadata: { id: '7' },
  });
});

test('a detail of another type is skipped', () => {
  const other = { ...infoOf(ERROR_DOMAIN), typeUrl: 'type.googleapis.com/google.rpc.Help' };
  expect(decoded(other, retryAfter(50))).toEqual({ ...NO_DETAILS, retryDelay: 50 });
});

test('a negative delay counts as 0', () => {
  expect(decoded(retryAfter(-50)).retryDelay).toBe(0);
});

test.each([
  ['random bytes', Uint8Array.of(0xff, 0xff, 0xff)],
  ['a detail that cannot be decoded', toBinary(StatusSchema, malformed())],
  ['no bytes', new Uint8Array()],
])('%s have no details', (_, bytes) => {
  expect(decodeStatus(bytes)).toEqual(NO_DETAILS);
});

function malformed(): Status {
  const details = [{ ...infoOf(ERROR_DOMAIN), value: Uint8Array.of(0xff) }];
  return create(StatusSchema, { code: 3, message: 'no', details });
}

test('trailers without a status, or with text instead, have no details', () => {
  expect(errorDetailsOf(new Metadata())).toEqual(NO_DETAILS);
  expect(errorDetailsOf({ get: () => ['text'] })).toEqual(NO_DETAILS);
});

test('the status in the trailers has the code and the message too', () => {
  const [bytes] = withErrorDetails(new Metadata(), status.NOT_FOUND, 'no such id', {}).get(
    'grpc-status-details-bin',
  );
  expect(bytes).toEqual(Buffer.from(encodeStatus(status.NOT_FOUND, 'no such id', {})));
});

test.each(['UNSPECIFIED', '1', 'toString', '', null])('%j is not a reason', (name) => {
  expect(isErrorReason(name)).toBe(false);
});

test('every other name of the enum is a reason', () => {
  const names = Object.keys(ErrorReason).filter((name) => !/^\d/.test(name) && name !== 'UNSPECIFIED');
  expect(names.length).toBeGreaterThan(30);
  expect(names.every(isErrorReason)).toBe(true);
});

// Its peer dependency is optional: installed next to a program, the package may not find it.
test('the adapter to grpc-js does not load grpc-js', () => {
  const built = readFileSync(new URL('../dist/grpc-js.js', import.meta.url), 'utf8');
  expect(built).toContain('toServiceDefinition');
  expect(built).not.toMatch(/^import .*@grpc/m);
});
