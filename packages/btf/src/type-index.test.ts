import { expect, test } from '@jest/globals';
import { Spec } from './spec.js';
import { BtfAssembler } from './testing/assemble-btf.js';
import { countTypes } from './type-index.js';
import { Kind } from './types.js';
import { RUN } from './words.js';

test('finds each of many types, whether they are shorter than usual, longer, or both', () => {
  for (const members of [[0], [6], [0, 0, 0, 9]]) {
    const btf = new BtfAssembler('little');
    // The loop runs more than once.
    const count = 2 * RUN + 1;
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

test.each(['little', 'big'] as const)('a %s-endian type that is cut off anywhere is reported', (order) => {
  const whole = new BtfAssembler(order)
    .type(Kind.FLOAT, 'double', { sizeOrTypeId: 8 })
    .type(Kind.STRUCT, 's', { vlen: 1, sizeOrTypeId: 8, data: ['member', 1, 0] })
    .bytes();
  const view = new DataView(whole.buffer);
  for (let cut = 1; cut < 24; cut++) {
    view.setUint32(12, 36 - cut, order === 'little');
    // Also where the words cannot be read in place.
    for (const shift of [0, 1]) {
      const shifted = new Uint8Array(whole.length + shift);
      shifted.set(whole, shift);
      expect(() => Spec.parse(shifted.subarray(shift))).toThrow(
        expect.objectContaining({
          code: 'MALFORMED',
          message: expect.stringContaining('type ends after the end'),
          offset: 36,
          typeId: 2,
        }),
      );
    }
  }
});
