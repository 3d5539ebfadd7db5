import { describe, expect, test } from '@jest/globals';
import { ErrorReason } from '@btfd/api';
import { mostMetadataOf, notGrpc, takeFarTimeout } from './request-head.js';

const GRPC = { ':method': 'POST', 'content-type': 'application/grpc' };

describe('A request is gRPC', () => {
  test.each([
    'application/grpc',
    'application/grpc+proto',
    'application/grpc;charset=utf-8',
    'Application/GRPC',
  ])('with the content type %s', (type) => expect(notGrpc({ ...GRPC, 'content-type': type })).toBeNull());
});

describe('A request is not gRPC', () => {
  test.each(['GET', 'HEAD', 'PUT', 'OPTIONS', 'CONNECT', 'post'])('with the method %s', (method) => {
    expect(notGrpc({ ...GRPC, ':method': method })).toEqual({ ':status': 405, allow: 'POST' });
  });

  test.each([
    undefined,
    '',
    'application/json',
    'application/grpc-web',
    'application/grpc-web+proto',
    'application/grpcx',
    'application/grpc+json',
    'text/application/grpc',
  ])('with the content type %s', (type) => {
    const headers = type === undefined ? {} : { 'content-type': type };
    expect(notGrpc({ ':method': 'POST', ...headers })).toMatchObject({ ':status': 415 });
  });
});

describe('A timeout', () => {
  test.each(['0n', '1n', '10m', '2147483S', '99999999m', '596H'])('of %s is left to grpc-js', (text) => {
    const headers = { 'grpc-timeout': text };
    expect([takeFarTimeout(headers), headers]).toEqual([Infinity, { 'grpc-timeout': text }]);
  });

  test.each([
    ['2147484S', 2_147_484_000],
    ['99999999S', 99_999_999_000],
    ['35792M', 35_792 * 60_000],
    ['99999999H', 99_999_999 * 3_600_000],
  ])('of %s, which grpc-js cannot count, is taken from the headers', (text, ms) => {
    const headers = { 'grpc-timeout': text };
    expect([takeFarTimeout(headers), headers]).toEqual([ms, {}]);
  });

  test.each([
    '',
    '1',
    'S',
    '1 S',
    ' 1S',
    '1S ',
    '123456789S',
    '-1S',
    '1.5S',
    '1s',
    '1SS',
    '1S, 2S',
    '0x1S',
    '٣S',
  ])('of "%s" is refused', (text) => {
    expect(() => takeFarTimeout({ 'grpc-timeout': text })).toThrow(
      expect.objectContaining({
        reason: ErrorReason.INVALID_REQUEST,
        message: `invalid grpc-timeout "${text}": use 1 to 8 digits and one of H, M, S, m, u, n`,
      }),
    );
  });
});

test.each([
  ['one header', { a: 'bcd' }, 4],
  ['several', { ':path': '/s/m', 'x-request-id': 'r', 'user-agent': 'grpc' }, 9 + 13 + 14],
  ['binary values, which may be many in one header', { 'a-bin': ',,,,' }, Infinity],
  ['a list of values', { 'set-cookie': ['a', 'b'] }, Infinity],
])('The metadata of a call has a known maximum size: %s', (_, headers, bytes) => {
  expect(mostMetadataOf(headers)).toBe(bytes);
});
