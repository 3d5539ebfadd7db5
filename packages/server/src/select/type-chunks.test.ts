import { isDeepStrictEqual } from 'node:util';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { SpecResponseSchema, type Type } from '@btfd/api';
import { Kind, Spec } from '@btfd/btf';
import { BtfWriter } from '../testing/btf-bytes.js';
import { typeChunks } from './type-chunks.js';

const CHUNK = 256 * 1024;
/** About the most that a type may have: 65,535 until Linux 7.2. */
const COUNT = 60_000;
const LESS = 30_000;

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

function chunksOf(spec: Spec, chunkBytes = CHUNK): Type[][] {
  return encodedChunks(spec, chunkBytes).map((chunk) => {
    const response = fromBinary(SpecResponseSchema, chunk);
    // The encoder of protobuf-es is the oracle.
    expect(Buffer.from(chunk).equals(toBinary(SpecResponseSchema, response))).toBe(true);
    if (response.part.case !== 'types') throw new Error(`a chunk has ${response.part.case}`);
    return response.part.value.types;
  });
}

function encodedChunks(spec: Spec, chunkBytes: number): Uint8Array[] {
  return [...typeChunks(spec, spec.typeIds(), chunkBytes)];
}

/** Returns the sizes of the chunks as a client receives them. */
function sizesOf(spec: Spec): number[] {
  return encodedChunks(spec, CHUNK).map(({ length }) => length);
}

/** Joins types that were sent in pieces, as the contract describes. */
function joined(chunks: Type[][]): Type[] {
  const types: Type[] = [];
  for (const chunk of chunks) {
    for (const [index, type] of chunk.entries()) {
      if (!type.continued) {
        types.push(type);
        continue;
      }
      const last = types.at(-1);
      // It continues the last type of the message before.
      expect([index, type.id, type.kind, type.name]).toEqual([0, last?.id, last?.kind, '']);
      append(last?.detail, type.detail);
    }
  }
  return types;
}

function append(to: Type['detail'] | undefined, from: Type['detail']): void {
  if (to?.case === 'struct' && from.case === 'struct') to.value.members.push(...from.value.members);
  else if (to?.case === 'union' && from.case === 'union') to.value.members.push(...from.value.members);
  else if (to?.case === 'enum64' && from.case === 'enum64') to.value.values.push(...from.value.values);
  else if (to?.case === 'enum' && from.case === 'enum') to.value.values.push(...from.value.values);
  else if (to?.case === 'datasec' && from.case === 'datasec') to.value.vars.push(...from.value.vars);
  else if (to?.case === 'funcProto' && from.case === 'funcProto') to.value.params.push(...from.value.params);
  else if (to?.case === 'unknown' && from.case === 'unknown') {
    to.value.data = new Uint8Array(Buffer.concat([to.value.data, from.value.data]));
  } else throw new Error(`${from.case} after ${to?.case}`);
}

/** Checks that the types are those of the spec in one message. */
function expectSame(types: Type[], spec: Spec): void {
  const [whole, ...more] = chunksOf(spec, 1 << 30);
  expect(more).toEqual([]);
  // Jest takes seconds to compare 60,000 objects.
  expect(isDeepStrictEqual(types, whole)).toBe(true);
}

/** One type with a long list, between two small ones. */
function huge(kind: number, vlen: number, data: (number | string)[]): Spec {
  const layout: [number, number][] = kind === 25 ? numbers(26).map(() => [0, 0]) : [];
  if (kind === 25) {
    layout[25] = [0, 12];
    layout[Kind.INT] = [4, 0];
  }
  const bytes = new BtfWriter()
    .type(Kind.INT, 'before', { sizeOrTypeId: 4, data: [32] })
    .type(kind, 'huge', { vlen, sizeOrTypeId: 7, data })
    .type(Kind.INT, 'after', { sizeOrTypeId: 4, data: [32] })
    .bytes(layout);
  return Spec.parse(bytes);
}

describe('A type too large for a message continues in the next ones, and is complete when joined:', () => {
  const long = (i: number): string => `a_name_that_is_rather_long_${i}`;
  test.each<[string, Spec]>([
    [
      'a struct',
      huge(
        Kind.STRUCT,
        COUNT,
        numbers(COUNT).flatMap((i) => [long(i), 1, i * 32]),
      ),
    ],
    [
      'an enum64',
      huge(
        Kind.ENUM64,
        COUNT,
        numbers(COUNT).flatMap((i) => [`E${i}`, i, 0xffff_ffff]),
      ),
    ],
    [
      'a datasec',
      huge(
        Kind.DATASEC,
        COUNT,
        numbers(COUNT).flatMap((i) => [0x7fff_ffff, i * 8, 8]),
      ),
    ],
    [
      'a union without names',
      huge(
        Kind.UNION,
        COUNT,
        numbers(COUNT).flatMap((i) => ['', 1, i]),
      ),
    ],
    [
      'a struct with names that are not ASCII',
      huge(
        Kind.STRUCT,
        LESS,
        numbers(LESS).flatMap((i) => [`größe€😀${i}`, 1, i]),
      ),
    ],
    [
      'a struct of long names',
      huge(
        Kind.STRUCT,
        2000,
        numbers(2000).flatMap((i) => [`${'€'.repeat(200)}${i}`, 1, i]),
      ),
    ],
    [
      'an enum',
      huge(
        Kind.ENUM,
        LESS,
        numbers(LESS).flatMap((i) => [long(i), -i]),
      ),
    ],
    [
      'a function',
      huge(
        Kind.FUNC_PROTO,
        LESS,
        numbers(LESS).flatMap((i) => [long(i), 0xffff_ffff]),
      ),
    ],
    ['a kind of the future', huge(25, COUNT, numbers(COUNT * 3))],
  ])('%s', (_, spec) => {
    const chunks = chunksOf(spec);
    const sizes = sizesOf(spec);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(CHUNK + 16);
    expect(chunks.length).toBeGreaterThan(2);
    expectSame(joined(chunks), spec);
  });
});

test('Types that fit are packed into chunks whole, in the order of ids', () => {
  const writer = new BtfWriter();
  for (let i = 0; i < 30_000; i++) writer.type(Kind.TYPEDEF, `type_${i}`, { sizeOrTypeId: 1 });
  const spec = Spec.parse(writer.bytes());
  const chunks = chunksOf(spec);
  expect(chunks.flat().map(({ id }) => id)).toEqual(numbers(30_000).map((i) => i + 1));
  expect(chunks.flat().some(({ continued }) => continued)).toBe(false);
  expect(chunks.length).toBeGreaterThan(1);
  expect(chunks.length).toBeLessThan(8);
  expect(Math.max(...sizesOf(spec))).toBeLessThanOrEqual(CHUNK + 16);
});

test('Chunks of types with long names do not exceed the limit either', () => {
  const writer = new BtfWriter();
  for (let i = 0; i < 100; i++) writer.type(Kind.TYPEDEF, `${'€'.repeat(5000)}${i}`, { sizeOrTypeId: 1 });
  const spec = Spec.parse(writer.bytes());
  const chunks = chunksOf(spec);
  expect(chunks.flat()).toHaveLength(100);
  expect(Math.max(...sizesOf(spec))).toBeLessThanOrEqual(CHUNK + 16);
});

test('A continued piece begins a message, even if two pieces would fit in one', () => {
  const members = numbers(200).flatMap((i) => [`member_${i}`, 1, i]);
  const spec = Spec.parse(new BtfWriter().type(Kind.STRUCT, 's', { vlen: 200, data: members }).bytes());
  for (let chunkBytes = 500; chunkBytes < 12_000; chunkBytes += 300) {
    expectSame(joined(chunksOf(spec, chunkBytes)), spec);
  }
});

test('No chunk is empty, however small the limit', () => {
  const spec = Spec.parse(
    new BtfWriter()
      .type(Kind.STRUCT, 'a_long_name', { vlen: 3, data: ['a', 1, 0, 'b', 1, 0, 'c', 1, 0] })
      .bytes(),
  );
  const chunks = chunksOf(spec, 2);
  expect(chunks.map((types) => types.length)).toEqual([1, 1, 1]);
  expectSame(joined(chunks), spec);
});

test('BTF without types has no chunk', () => {
  expect(chunksOf(Spec.parse(new BtfWriter().bytes()))).toEqual([]);
});
