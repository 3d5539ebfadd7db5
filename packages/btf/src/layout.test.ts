import { describe, expect, test } from '@jest/globals';
import { Spec } from './spec.js';
import { BtfAssembler, UNKNOWN_KIND } from './testing/assemble-btf.js';
import { countTypes } from './type-index.js';
import { Kind } from './types.js';

/** Kinds shaped like those planned for Linux 7.4. */
const LOC_PARAM = UNKNOWN_KIND;
const LOC_PROTO = UNKNOWN_KIND + 1;

/** Entries for all kinds up to LOC_PROTO. Those of known kinds are 0, which must be ignored. */
function layoutWith(param: readonly [number, number], proto: readonly [number, number]) {
  return [...globalThis.Array.from({ length: LOC_PARAM }, () => [0, 0] as const), param, proto];
}

function assembleUnknown(order: 'little' | 'big'): BtfAssembler {
  return new BtfAssembler(order)
    .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] })
    .type(LOC_PARAM, 'param', { vlen: 7, kindFlag: true, sizeOrTypeId: 9, data: [0x01020304, 5] })
    .type(LOC_PROTO, '', { vlen: 3, data: [0xa, 1, 2, 3] })
    .type(Kind.PTR, '', { sizeOrTypeId: 1 });
}

describe('the layout section', () => {
  const layout = layoutWith([8, 0], [4, 4]);

  test.each(['little', 'big'] as const)(
    'keeps types of unknown kinds with their bytes (%s-endian)',
    (order) => {
      const spec = Spec.parse(assembleUnknown(order).bytes({ headerLength: 32, layout }));
      expect(spec.typeCount).toBe(4);
      const data = [4, 3, 2, 1, 5, 0, 0, 0];
      expect(spec.typeById(2)).toEqual({
        kind: 'UNKNOWN',
        id: 2,
        name: 'param',
        kindNumber: LOC_PARAM,
        kindFlag: true,
        vlen: 7,
        sizeOrTypeId: 9,
        data: Uint8Array.from(order === 'little' ? data : [1, 2, 3, 4, 0, 0, 0, 5]),
      });
      expect(spec.typeById(3)).toMatchObject({ kind: 'UNKNOWN', kindNumber: LOC_PROTO, vlen: 3 });
      expect(spec.kindOf(3)).toBe(LOC_PROTO);
      expect(spec.typeById(4)).toEqual({ kind: 'PTR', id: 4, name: '', typeId: 1 });
      expect(countTypes(spec.bytes)).toBe(4);
    },
  );

  test('is shared by split BTF without one, as in libbpf', () => {
    const baseBtf = assembleUnknown('little');
    const base = Spec.parse(baseBtf.bytes({ headerLength: 32, layout }));
    const split = new BtfAssembler('little', baseBtf.stringEnd)
      .type(LOC_PARAM, 'own', { data: [1, 2] })
      .bytes();
    expect(Spec.parse(split, { base }).typeById(5)).toMatchObject({ kind: 'UNKNOWN', name: 'own' });
  });

  test('may have the largest sizes that fit into an entry', () => {
    const btf = new BtfAssembler('little');
    btf.type(LOC_PARAM, '', { vlen: 2, data: globalThis.Array.from({ length: 63 * 3 }, (_, i) => i) });
    const spec = Spec.parse(btf.bytes({ headerLength: 32, layout: layoutWith([252, 252], [0, 0]) }));
    const type = spec.typeById(1);
    expect(type.kind === 'UNKNOWN' && type.data.length).toBe(252 * 3);
  });

  test.each([
    ['no layout section', assembleUnknown('little').bytes()],
    [
      'no entry for the kind',
      assembleUnknown('little').bytes({ headerLength: 32, layout: layout.slice(0, LOC_PARAM) }),
    ],
    [
      'sizes that would break the alignment',
      assembleUnknown('little').bytes({ headerLength: 32, layout: layoutWith([6, 0], [4, 4]) }),
    ],
  ])('leaves an unknown kind an error that names kind and type: %s', (_, bytes) => {
    expect(() => Spec.parse(bytes)).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED',
        typeId: 2,
        message: expect.stringContaining(`kind ${LOC_PARAM}`),
      }),
    );
    expect(() => countTypes(bytes)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  });

  test('cannot define kind 0', () => {
    const bytes = new BtfAssembler('little').type(0, '').bytes({ headerLength: 32, layout: [[4, 0]] });
    expect(() => Spec.parse(bytes)).toThrow(expect.objectContaining({ code: 'MALFORMED', typeId: 1 }));
  });

  test('must be made of whole entries', () => {
    const bytes = assembleUnknown('little').bytes({ headerLength: 32, layout });
    const view = new DataView(bytes.buffer);
    const stringOffset = view.getUint32(16, true);
    view.setUint32(28, view.getUint32(28, true) - 2, true);
    view.setUint32(16, stringOffset - 2, true);
    view.setUint32(20, view.getUint32(20, true) + 2, true);
    expect(() => Spec.parse(bytes)).toThrow(
      expect.objectContaining({ code: 'MALFORMED', message: expect.stringContaining('layout') }),
    );
  });
});
