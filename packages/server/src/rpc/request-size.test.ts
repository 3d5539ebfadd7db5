import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { LoadHandleRequestSchema } from '@btfd/api';
import { DEFAULT_LIMITS } from '../config/limits.js';
import { checkRequestSize } from './request-size.js';

const LIMITS = { ...DEFAULT_LIMITS, maxMessageBytes: 10, maxLoadMessageBytes: 1_000, maxTypesBytes: 100 };

function load(source: MessageInitShape<typeof LoadHandleRequestSchema>['source']): Uint8Array {
  return toBinary(
    LoadHandleRequestSchema,
    create(LoadHandleRequestSchema, { ...(source && { source }), logSize: 128 }),
  );
}

const rawBtf = (length: number) => load({ case: 'rawBtf', value: new Uint8Array(length) });
const types = (length: number) => load({ case: 'types', value: { types: [{ name: 'n'.repeat(length) }] } });

describe('A request', () => {
  test.each([
    ['Spec', new Uint8Array(10)],
    ['LoadHandle', rawBtf(900)],
    ['LoadHandle', types(80)],
    ['LoadHandle', new Uint8Array([0xff, 0xff])],
  ])('of %s within its limits may be decoded', (method, wire) => {
    expect(() => checkRequestSize(method, wire, LIMITS)).not.toThrow();
  });

  test.each([
    ['Spec', new Uint8Array(11), 'the request has 11 bytes'],
    ['LoadHandle', rawBtf(1_000), 'the request has'],
    // Fields that the contract has not.
    ['LoadHandle', new Uint8Array(12).fill(0x78), 'the request, besides raw_btf and types, has'],
    ['LoadHandle', types(100), 'the list of types has'],
    // Protobuf merges a message that comes in parts.
    ['LoadHandle', Buffer.concat([types(60), types(60)]), 'the list of types has'],
  ])('of %s beyond them is refused', (method, wire, message) => {
    expect(() => checkRequestSize(method, wire, LIMITS)).toThrow(message);
  });
});
