import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { LoadHandleRequestSchema, TypeListSchema } from '@btfd/api';
import { decodeRequest } from '../base/message.js';
import { DEFAULT_LIMITS } from '../config/limits.js';
import { loadSizes, splitLoad } from './load-wire.js';
import { checkRequestSize } from './request-size.js';

const MIB = 1024 * 1024;

function encoded(request: Omit<MessageInitShape<typeof LoadHandleRequestSchema>, '$typeName'>): Uint8Array {
  return toBinary(LoadHandleRequestSchema, create(LoadHandleRequestSchema, request));
}

const raw = encoded({ source: { case: 'rawBtf', value: new Uint8Array(900) } });
const types = (name: string) => encoded({ source: { case: 'types', value: { types: [{ name }] } } });
const rest = encoded({ logSize: 200, adaptToKernel: true });
/** A field of two bytes that is not in the contract. */
const unknown = Uint8Array.of(0x78, 1);

/** Decodes a request with protobuf-es, as the oracle. */
function decoded(...parts: Uint8Array[]) {
  return decodeRequest(LoadHandleRequestSchema, Buffer.concat(parts));
}

test.each([
  ['raw BTF', [rest, raw]],
  ['types', [types('a'), rest]],
  ['types in parts', [types('a'), rest, types('b')]],
  ['types after raw BTF', [raw, types('a')]],
  ['raw BTF after types', [types('a'), raw]],
  ['types before and after raw BTF', [types('a'), raw, types('b'), unknown]],
  ['nothing', []],
])('A request with %s is split without loss', (_, parts) => {
  const { head, types: list } = splitLoad(Buffer.concat(parts));
  const request = decodeRequest(LoadHandleRequestSchema, head);
  const expected = decoded(...parts);
  expect([request.logSize, request.adaptToKernel]).toEqual([expected.logSize, expected.adaptToKernel]);
  if (expected.source.case === 'types') {
    expect(decodeRequest(TypeListSchema, list ?? new Uint8Array())).toEqual(expected.source.value);
  } else {
    expect([list, request.source]).toEqual([null, expected.source]);
  }
});

test('A request that cannot be read to its end is split up to there, and decoding reports the error', () => {
  const { head, types: list } = splitLoad(Buffer.concat([types('a'), Uint8Array.of(0xff)]));
  expect(list).not.toBeNull();
  expect(() => decodeRequest(LoadHandleRequestSchema, head)).toThrow(
    'the request cannot be decoded as btf.v1.LoadHandleRequest',
  );
});

test('The sizes are those of the types, and of everything that is neither types nor raw BTF', () => {
  const size = types('a').length - 2;
  expect(loadSizes(Buffer.concat([types('a'), types('a')]), 100)).toEqual({ types: 2 * size, rest: 4 });
  expect(loadSizes(Buffer.concat([raw, rest]), 100)).toEqual({ types: 0, rest: 3 + rest.length });
  expect(loadSizes(Buffer.concat([rest, Uint8Array.of(0xff, 0xff)]), 100).rest).toBe(rest.length + 2);
});

test('A request with millions of fields is read only up to the allowed number', () => {
  const fields = new Uint8Array(16 * MIB).fill(0x78);
  expect(loadSizes(fields, 1000).rest).toBeLessThan(1010);
});

const LIMITS = { ...DEFAULT_LIMITS, maxMessageBytes: 10, maxLoadMessageBytes: 1_000, maxTypesBytes: 100 };

function load(source: MessageInitShape<typeof LoadHandleRequestSchema>['source']): Uint8Array {
  return toBinary(
    LoadHandleRequestSchema,
    create(LoadHandleRequestSchema, { ...(source && { source }), logSize: 128 }),
  );
}

const rawBtf = (length: number) => load({ case: 'rawBtf', value: new Uint8Array(length) });
const typesOf = (length: number) => load({ case: 'types', value: { types: [{ name: 'n'.repeat(length) }] } });

describe('An encoded request', () => {
  test.each([
    ['Spec', new Uint8Array(10)],
    ['LoadHandle', rawBtf(900)],
    ['LoadHandle', typesOf(80)],
    ['LoadHandle', new Uint8Array([0xff, 0xff])],
  ])('of %s within its limits may be decoded', (method, wire) => {
    expect(() => checkRequestSize(method, wire, LIMITS)).not.toThrow();
  });

  test.each([
    ['Spec', new Uint8Array(11), 'the request has 11 bytes'],
    ['LoadHandle', rawBtf(1_000), 'the request has'],
    // Fields that are not in the contract.
    ['LoadHandle', new Uint8Array(12).fill(0x78), 'the request without raw_btf and types has'],
    ['LoadHandle', typesOf(100), 'the list of types has'],
    // Protobuf merges the parts of a message.
    ['LoadHandle', Buffer.concat([typesOf(60), typesOf(60)]), 'the list of types has'],
  ])('of %s beyond them is refused', (method, wire, message) => {
    expect(() => checkRequestSize(method, wire, LIMITS)).toThrow(message);
  });
});
