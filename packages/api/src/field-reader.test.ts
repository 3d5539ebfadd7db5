import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { FieldReader } from './field-reader.js';
import { BadRequestSchema, ErrorInfoSchema } from './gen/google/rpc/error_details_pb.js';
import { StatusSchema } from './gen/google/rpc/status_pb.js';

const text = fc.string({ unit: 'grapheme' });

test('texts, maps and repeated messages are those that protobuf-es encoded', () => {
  fc.assert(
    fc.property(text, text, fc.dictionary(text, text), (reason, domain, metadata) => {
      const bytes = toBinary(ErrorInfoSchema, create(ErrorInfoSchema, { reason, domain, metadata }));
      const read = new FieldReader(bytes);
      expect([read.text(1), read.text(2), read.map(3)]).toEqual([reason, domain, { ...metadata }]);
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.record({ field: text, description: text })), (fieldViolations) => {
      const bytes = toBinary(BadRequestSchema, create(BadRequestSchema, { fieldViolations }));
      const read = new FieldReader(bytes).messages(1);
      expect(read.map((one) => ({ field: one.text(1), description: one.text(2) }))).toEqual(fieldViolations);
    }),
  );
});

test('integers keep their sign, and an absent one is 0', () => {
  for (const code of [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)]) {
    const read = new FieldReader(toBinary(StatusSchema, create(StatusSchema, { code })));
    expect([read.integer(1), read.has(1)]).toEqual([BigInt(code), code !== 0]);
  }
});

test('random bytes have the text that protobuf-es reads, if both can read them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      const theirs = attempt(() => fromBinary(StatusSchema, bytes).message);
      const ours = attempt(() => new FieldReader(bytes).text(2));
      if (theirs !== null && ours !== null) expect(ours).toBe(theirs);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ['a varint without an end', [8, 0x80]],
  ['a length beyond the end', [18, 2, 65]],
  ['a field with the number 0', [2, 0]],
  ['a group', [11, 12]],
  ['a cut number of 64 bits', [9, 1, 2]],
])('%s is rejected', (_, bytes) => {
  expect(() => new FieldReader(Uint8Array.from(bytes))).toThrow(RangeError);
});

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
