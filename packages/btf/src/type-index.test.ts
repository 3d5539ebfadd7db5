import { expect, test } from '@jest/globals';
import { Spec } from './spec.js';
import { BtfAssembler } from './testing/assemble-btf.js';
import { countTypes } from './type-index.js';
import { Kind } from './types.js';

test('finds each of many types, whether they are shorter than usual, longer, or both', () => {
  for (const members of [[0], [6], [0, 0, 0, 9]]) {
    const btf = new BtfAssembler('little');
    const count = 1_000;
    for (let i = 0; i < count; i++) {
      const vlen = members[i % members.length] ?? 0;
      const data = Array.from({ length: 3 * vlen }, () => 0);
      btf.type(Kind.STRUCT, `s${i}`, { vlen, sizeOrTypeId: i, data });
    }
    const bytes = btf.bytes();
    const spec = Spec.parse(bytes, { limits: { types: count } });
    expect([countTypes(bytes), spec.typeCount]).toEqual([count, count]);
    expect(Array.from({ length: count }, (_, i) => spec.nameOf(i + 1))).toEqual(
      Array.from({ length: count }, (_, i) => `s${i}`),
    );
    const limits = { types: count - 1 };
    expect(() => Spec.parse(bytes, { limits })).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
  }
});
