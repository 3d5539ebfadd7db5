import { describe, expect, test } from '@jest/globals';
import { parseHeader } from '../header.js';
import { Spec } from '../spec.js';
import { assembleAllKinds } from '../testing/all-kinds.js';
import type { Type } from '../types.js';
import { Builder } from './builder.js';
import type { MarshalOptions } from './marshal-options.js';

const source = Spec.parse(assembleAllKinds('little').bytes());
const builder = new Builder({ deduplicate: false });
builder.addAllFrom(
  source,
  [...source].map(({ id }) => id),
);

function marshalled(options: MarshalOptions): Type[] {
  return [...Spec.parse(builder.marshal(options))];
}

/** The types that differ from those of the source. */
function changed(options: MarshalOptions): Type[] {
  return marshalled(options).filter((type) => {
    const before = type.id < source.endTypeId ? source.typeById(type.id) : null;
    return before === null || JSON.stringify(before, text) !== JSON.stringify(type, text);
  });
}

function text(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

// Modelled on btf/marshal.go of cilium/ebpf, whose tests have some of these cases.
describe('MarshalOptions', () => {
  test('change nothing by default', () => {
    expect(changed({})).toEqual([]);
    const refused = { stripFuncLinkage: false, replaceDeclTags: false, replaceEnum64: false };
    expect(changed({ ...refused, replaceTypeTags: false, preventNoTypeFound: true })).toEqual([]);
  });

  test('stripFuncLinkage makes the linkage of functions 0, not that of variables', () => {
    expect(changed({ stripFuncLinkage: true })).toMatchObject([
      { id: 19, kind: 'FUNC', name: 'global', typeId: 17, linkage: 0 },
      { id: 20, kind: 'FUNC', name: 'outer', typeId: 17, linkage: 0 },
    ]);
  });

  test('replaceDeclTags replaces each DECL_TAG with an INT', () => {
    const int = { kind: 'INT', name: 'decl_tag_placeholder', size: 1, encoding: 0, bits: 8, bitOffset: 0 };
    expect(changed({ replaceDeclTags: true })).toEqual([
      { id: 24, ...int },
      { id: 25, ...int },
    ]);
  });

  test('replaceTypeTags replaces each TYPE_TAG with an anonymous CONST', () => {
    expect(changed({ replaceTypeTags: true })).toEqual([
      { id: 26, kind: 'CONST', name: '', typeId: 1 },
      { id: 27, kind: 'CONST', name: '', typeId: 1 },
    ]);
  });

  test('replaceEnum64 replaces each ENUM64 with a UNION, and drops the sign of ENUMs', () => {
    const member = { bitOffset: 0, bitfieldSize: 0 };
    const placeholder = { kind: 'INT', name: 'enum64_placeholder', size: 8, bits: 64, bitOffset: 0 };
    expect(changed({ replaceEnum64: true })).toEqual([
      {
        id: 10,
        kind: 'ENUM',
        name: 'signed',
        size: 4,
        signed: false,
        values: [{ name: 'MINUS', value: 2 ** 32 - 2 }],
      },
      {
        id: 28,
        kind: 'UNION',
        name: 'wide',
        size: 8,
        members: [
          { name: 'TOP', typeId: 30, ...member },
          { name: 'HIGH', typeId: 30, ...member },
        ],
      },
      {
        id: 29,
        kind: 'UNION',
        name: 'wide_signed',
        size: 8,
        members: [
          { name: 'LEAST', typeId: 31, ...member },
          { name: 'MINUS_ONE', typeId: 31, ...member },
        ],
      },
      { id: 30, ...placeholder, encoding: 0 },
      { id: 31, ...placeholder, encoding: 1 },
    ]);
  });

  test('preventNoTypeFound adds one INT without name and size to BTF without types', () => {
    const empty = new Builder();
    expect([...Spec.parse(empty.marshal({ preventNoTypeFound: true }))]).toEqual([
      { id: 1, kind: 'INT', name: '', size: 0, encoding: 0, bits: 0, bitOffset: 0 },
    ]);
    expect([...Spec.parse(empty.marshal())]).toEqual([]);
  });

  test('can be combined, and do not change the builder', () => {
    const before = builder.marshal();
    const all = {
      stripFuncLinkage: true,
      replaceDeclTags: true,
      replaceTypeTags: true,
      replaceEnum64: true,
    };
    expect(changed(all).map(({ id }) => id)).toEqual([10, 19, 20, 24, 25, 26, 27, 28, 29, 30, 31]);
    expect(builder.marshal()).toEqual(before);
    expect(builder.typeCount).toBe(29);
  });

  test('byteOrder writes both orders, and defaults to that of the machine', () => {
    const [little, big] = [builder.marshal({ byteOrder: 'little' }), builder.marshal({ byteOrder: 'big' })];
    expect([little.slice(0, 2), big.slice(0, 2)]).toEqual([
      Uint8Array.of(0x9f, 0xeb),
      Uint8Array.of(0xeb, 0x9f),
    ]);
    expect([...Spec.parse(big)]).toEqual([...Spec.parse(little)]);
    const host = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? little : big;
    expect(builder.marshal()).toEqual(host);
  });

  test.each(['little', 'big'] as const)(
    'layout writes a header of 32 bytes and the sizes of all kinds, %s',
    (byteOrder) => {
      const bytes = builder.marshal({ layout: true, byteOrder });
      const { length, types, layout, strings } = parseHeader(bytes);
      expect([length, types.offset, layout.offset, strings.offset]).toEqual([
        32,
        32,
        32 + types.length,
        32 + types.length + 80,
      ]);
      const entries = Array.from({ length: 20 }, (_, i) => [
        ...bytes.subarray(layout.offset + i * 4).subarray(0, 4),
      ]);
      // As in the table `layouts` of libbpf 1.7, from void to ENUM64.
      expect(entries.map(([once, each, ...flags]) => `${once} ${each} ${flags.join('')}`)).toEqual(
        '0 0,4 0,0 0,12 0,0 12,0 12,0 8,0 0,0 0,0 0,0 0,0 0,0 0,0 8,4 0,0 12,0 0,4 0,0 0,0 12'
          .split(',')
          .map((sizes) => `${sizes} 00`),
      );
      expect([...Spec.parse(bytes)]).toEqual([...Spec.parse(builder.marshal())]);
    },
  );
});
