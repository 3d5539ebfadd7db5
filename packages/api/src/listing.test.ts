import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { InfoDetail, IterateHandlesRequestSchema, IterateHandlesResponseSchema, Origin } from './index.js';
import { decodeListed, encodeListRequest } from './light.js';

const uint32 = fc.nat({ max: 2 ** 32 - 1 });
const text = fc.string({ unit: 'grapheme' });
const numbersOf = (values: object): number[] =>
  Object.values(values).filter((value) => typeof value === 'number');

const requests = fc.record({
  afterId: uint32,
  origins: fc.array(fc.constantFrom(...numbersOf(Origin))),
  nameGlobs: fc.array(text),
  details: fc.array(fc.constantFrom(...numbersOf(InfoDetail))),
});

test('a request has the bytes of protobuf-es', () => {
  fc.assert(
    fc.property(requests, (request) => {
      const theirs = toBinary(IterateHandlesRequestSchema, create(IterateHandlesRequestSchema, request));
      expect(encodeListRequest(request)).toEqual(theirs);
    }),
  );
});

const optionalId = fc.option(uint32, { nil: undefined });
const bpfObject = fc.record({ id: uint32, name: text, keyTypeId: optionalId, valueTypeId: optionalId });
const info = fc.record({
  id: uint32,
  name: text,
  // Also one of a newer daemon.
  origin: fc.nat({ max: 9 }),
  isKernel: fc.boolean(),
  size: uint32,
  removed: fc.boolean(),
  digest: fc.uint8Array({ maxLength: 32 }),
  users: fc.option(
    fc.record({
      programs: fc.array(bpfObject),
      maps: fc.array(bpfObject),
      processes: fc.array(fc.record({ pid: uint32, command: text })),
    }),
    { nil: undefined },
  ),
});

test('a response is the message of protobuf-es', () => {
  fc.assert(
    fc.property(fc.option(info, { nil: undefined }), (value) => {
      const init = value === undefined ? {} : { info: value };
      const bytes = toBinary(IterateHandlesResponseSchema, create(IterateHandlesResponseSchema, init));
      expect(decodeListed(bytes)).toEqual(fromBinary(IterateHandlesResponseSchema, bytes));
    }),
  );
});

test('fields of a later release are skipped', () => {
  const known = toBinary(
    IterateHandlesResponseSchema,
    create(IterateHandlesResponseSchema, { info: { id: 7 } }),
  );
  // Field 100 with a varint, 101 with 8 bytes, 102 with text, 103 with 4 bytes.
  const later = [0xa0, 6, 1, 0xa9, 6, 1, 2, 3, 4, 5, 6, 7, 8, 0xb2, 6, 1, 65, 0xbd, 6, 1, 2, 3, 4];
  expect(decodeListed(Uint8Array.from([...known, ...later])).info).toMatchObject({ id: 7, name: '' });
});
