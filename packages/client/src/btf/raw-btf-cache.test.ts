import { create } from '@bufbuild/protobuf';
import { SpecHeaderSchema } from '@btfd/api';
import { expect, test } from '@jest/globals';
import { digestKey, RawBtf } from './raw-btf.js';
import { RawBtfCache } from './raw-btf-cache.js';

function raw(digest: number, size: number): RawBtf {
  return new RawBtf(new Uint8Array(size), create(SpecHeaderSchema, { digest: new Uint8Array([digest]) }));
}

test('keeps BTF up to the limit, and drops the least recently used', () => {
  const cache = new RawBtfCache(100);
  const [a, b, c] = [raw(1, 40), raw(2, 40), raw(3, 40)];
  cache.add(a);
  cache.add(b);
  expect(cache.get(digestKey(a.digest))).toBe(a);
  cache.add(c);
  expect([a, b, c].map(({ digest }) => cache.get(digestKey(digest)))).toEqual([a, undefined, c]);
});

test('counts BTF that is added again once', () => {
  const cache = new RawBtfCache(100);
  const [a, b] = [raw(1, 60), raw(2, 40)];
  cache.add(a);
  cache.add(a);
  cache.add(b);
  expect([a, b].map(({ digest }) => cache.get(digestKey(digest)))).toEqual([a, b]);
});

test('does not keep BTF above the limit, and drops nothing for it', () => {
  const cache = new RawBtfCache(100);
  const [a, huge] = [raw(1, 40), raw(2, 101)];
  cache.add(a);
  cache.add(huge);
  expect([a, huge].map(({ digest }) => cache.get(digestKey(digest)))).toEqual([a, undefined]);
});
