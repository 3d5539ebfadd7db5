import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from '@jest/globals';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  ErrorReason,
  QuotaFailureSchema,
  RetryInfoSchema,
  StatusSchema,
} from '@btfd/api';
import { status } from '@grpc/grpc-js';
import { ServiceError, type ServiceErrorDetail } from './service-error.js';
import { toStatus } from './to-status.js';

/** Decodes the status of an error as a client does. */
function received(detail: ServiceErrorDetail, message = 'm', reason = ErrorReason.VERIFIER_REJECTED) {
  const { code, details, metadata } = toStatus(new ServiceError(reason, message, detail));
  const [bytes] = metadata.get('grpc-status-details-bin');
  if (!Buffer.isBuffer(bytes)) throw new Error('no details');
  const decoded = fromBinary(StatusSchema, new Uint8Array(bytes));
  const [info, badRequest] = [ErrorInfoSchema, BadRequestSchema].map((schema) =>
    decoded.details.map((any) => anyUnpack(any, schema)).find((each) => each !== undefined),
  );
  if (info?.$typeName !== 'google.rpc.ErrorInfo') throw new Error('no ErrorInfo');
  const violations = badRequest?.$typeName === 'google.rpc.BadRequest' ? badRequest.fieldViolations : [];
  expect([decoded.code, decoded.message]).toEqual([code, details]);
  return { code, message: details, size: bytes.length, info, violations };
}

test('A status has code, message, reason, domain, metadata and violations', () => {
  const violations = [{ field: 'ttl', description: 'must be positive' }];
  const detail = { metadata: { id: '7' }, violations };
  const decoded = received(detail, 'ttl: must be positive', ErrorReason.INVALID_REQUEST);
  const { code, message, info } = decoded;
  expect([code, message]).toEqual([status.INVALID_ARGUMENT, 'ttl: must be positive']);
  expect(info).toMatchObject({ reason: 'INVALID_REQUEST', domain: 'btf.v1', metadata: { id: '7' } });
  expect(decoded.violations).toMatchObject(violations);
});

test('A status names the owner of a used-up quota, and says when to try again', () => {
  const quota = { subject: 'principal:uid:1', description: 'the caller has 2 of at most 2 open handles' };
  const error = new ServiceError(ErrorReason.QUOTA_EXCEEDED, 'm', { quota, retryMs: 1500 });
  const [bytes] = toStatus(error).metadata.get('grpc-status-details-bin');
  if (!Buffer.isBuffer(bytes)) throw new Error('no details');
  const { details } = fromBinary(StatusSchema, new Uint8Array(bytes));
  const limits = details.map((any) => anyUnpack(any, QuotaFailureSchema) ?? anyUnpack(any, RetryInfoSchema));
  expect(limits).toMatchObject([
    undefined,
    { violations: [quota] },
    { retryDelay: { seconds: 1n, nanos: 500_000_000 } },
  ]);
});

test('A log of 3 KiB arrives in full, with the rest of a rejection', () => {
  const log = `${'x'.repeat(3071)}!`;
  const metadata = {
    errno: '22',
    errno_name: 'EINVAL',
    log,
    log_truncated: 'false',
    log_true_size: '9800000',
  };
  const { info } = received({ metadata }, 'the kernel refused the BTF with EINVAL: [126585] Invalid kind:0');
  expect(info.metadata).toEqual(metadata);
});

describe('A status has at most 4096 bytes, and a message that is short on the wire:', () => {
  const many = <T>(count: number, make: (i: number) => T): T[] =>
    Array.from({ length: count }, (_, i) => make(i));

  test.each<[string, ServiceErrorDetail, string?]>([
    ['a log of U+FFFD', { metadata: { log: '\u{fffd}'.repeat(3072) } }],
    ['a log of emoji', { metadata: { log: '😀'.repeat(1536) } }],
    ['a log of emoji, one unit off', { metadata: { log: `x${'😀'.repeat(1536)}` } }],
    ['a log of half emoji', { metadata: { log: '\ud83d'.repeat(3072) } }],
    ['a log of control characters', { metadata: { log: '\0\x01\x1b\n\r'.repeat(614) } }],
    ['a log of a megabyte', { metadata: { log: 'x'.repeat(1 << 20) } }],
    ['a name of a megabyte', { metadata: { name: 'n'.repeat(1 << 20) } }],
    ['a log beside a long name', { metadata: { name: 'n'.repeat(1 << 16), log: 'x'.repeat(1 << 16) } }],
    ['1000 texts', { metadata: Object.fromEntries(many(1000, (i) => [`key${i}`, 'value'])) }],
    ['1000 empty texts', { metadata: Object.fromEntries(many(1000, (i) => [`key${i}`, ''])) }],
    ['keys of a megabyte', { metadata: { ['k'.repeat(1 << 20)]: 'v' } }],
    [
      '1000 violations',
      { violations: many(1000, (i) => ({ field: `f${i}`, description: 'd'.repeat(1000) })) },
    ],
    [
      'violations of emoji',
      { violations: many(20, () => ({ field: '😀'.repeat(99), description: '😀'.repeat(999) })) },
    ],
    ['a message of a megabyte', {}, 'm'.repeat(1 << 20)],
    ['a message of emoji', {}, '😀'.repeat(4096)],
    ['a message of half emoji', {}, '\udc00'.repeat(100)],
    ['a message of control characters', {}, '\0\n\r\t\x7f'.repeat(1000)],
    [
      'all of it',
      {
        metadata: { name: '\u{fffd}'.repeat(9999), log: '\u{fffd}'.repeat(3072) },
        violations: many(20, () => ({ field: '€'.repeat(999), description: '€'.repeat(999) })),
      },
      '€'.repeat(9999),
    ],
  ])('%s', (_, detail, message = 'refused') => {
    const { size, message: text, info } = received(detail, message);
    expect(size).toBeLessThanOrEqual(4096);
    expect(info).toMatchObject({ reason: 'VERIFIER_REJECTED', domain: 'btf.v1' });
    // As grpc-js writes it into a header: this throws if the text is not well-formed Unicode.
    expect(encodeURI(text).length).toBeLessThanOrEqual(1024);
    expect(text.length).toBeGreaterThan(0);
  });
});

test.each(['x', '\u{fffd}', '😀', '\n'])(
  'A log of %j that is too long keeps its tail, as much as fits',
  (text) => {
    const { size, info } = received({
      metadata: { log: `${text.repeat(9000)}the end\n`, log_truncated: 'false' },
    });
    expect(info.metadata['log']?.endsWith(`${text}the end\n`)).toBe(true);
    expect(info.metadata['log_truncated']).toBe('true');
    expect(size).toBeGreaterThan(3500);
  },
);

test('Text that is not a log keeps its beginning when it is cut, and shows that it was', () => {
  const { info } = received({ metadata: { name: `begin${'n'.repeat(9000)}` } });
  expect(info.metadata['name']).toMatch(/^beginn+…$/);
});
