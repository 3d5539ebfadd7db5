import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from '@jest/globals';
import { CheckObjectRequestSchema, ErrorReason } from '@btfd/api';
import { DEFAULT_LIMITS } from '../config/limits.js';
import { failureOf } from '../testing/service-error.js';
import { checkRequestSize } from './request-size.js';

const KIB = 1024;
const MIB = 1024 * KIB;

function encoded(request: Omit<MessageInitShape<typeof CheckObjectRequestSchema>, '$typeName'>): Uint8Array {
  return toBinary(CheckObjectRequestSchema, create(CheckObjectRequestSchema, request));
}

function check(wire: Uint8Array): void {
  checkRequestSize('CheckObject', wire, DEFAULT_LIMITS);
}

test('An object of the largest size is accepted', () => {
  const programs = ['a'.repeat(1_000)];
  expect(() => check(encoded({ object: new Uint8Array(8 * MIB), programs }))).not.toThrow();
});

test('Other requests keep their own limit', () => {
  const wire = encoded({ object: new Uint8Array(65 * KIB) });
  expect(() => checkRequestSize('Spec', wire, DEFAULT_LIMITS)).toThrow('Spec accepts at most 65536');
});

test.each([
  [
    'an object that is too large',
    [encoded({ object: new Uint8Array(8 * MIB + 1) })],
    'the object has 8388609 bytes',
  ],
  ['a request that is too large', [new Uint8Array(9 * MIB + 1)], 'the request has 9437185 bytes'],
  [
    'programs that are too large in total',
    [encoded({ object: new Uint8Array(MIB), programs: Array.from({ length: 70 }, () => 'p'.repeat(KIB)) })],
    'the request without object has',
  ],
  [
    'millions of objects, of which the last one counts',
    [Buffer.alloc(4 * MIB, encoded({ object: Uint8Array.of(1) }))],
    'the request without object has',
  ],
  ['an unfinished field', [Buffer.alloc(70 * KIB, 0xff)], 'the request without object has'],
])('%s is refused before it is decoded', async (_, parts, message) => {
  const error = await failureOf(() => check(Buffer.concat(parts)));
  expect(error.reason).toBe(ErrorReason.MESSAGE_TOO_LARGE);
  expect(error.message).toContain(message);
});
