import { IntEncoding, type Member, type Type } from '../types.js';

/** bpftoolJson renders a type as `bpftool -j btf dump` of version 7.1 does, keys in the same order. */
export function bpftoolJson(type: Type): string {
  return JSON.stringify({ id: type.id, kind: type.kind, name: anon(type.name), ...details(type) });
}

/** normalizeBpftoolJson makes 64-bit values of bpftool's output strings, which JSON.parse keeps exact. */
export function normalizeBpftoolJson(output: string): string {
  return output.replaceAll(/"val":(-?\d+)/g, '"val":"$1"');
}

function details(type: Type): object {
  switch (type.kind) {
    case 'INT': {
      const { size, bitOffset, bits } = type;
      return { size, bits_offset: bitOffset, nr_bits: bits, encoding: intEncoding(type.encoding) };
    }
    case 'PTR':
    case 'TYPEDEF':
    case 'VOLATILE':
    case 'CONST':
    case 'RESTRICT':
    case 'TYPE_TAG':
      return { type_id: type.typeId };
    case 'ARRAY':
      return { type_id: type.typeId, index_type_id: type.indexTypeId, nr_elems: type.nelems };
    case 'STRUCT':
    case 'UNION':
      return { size: type.size, vlen: type.members.length, members: type.members.map(member) };
    case 'ENUM': {
      const { size, signed, values } = type;
      return {
        encoding: signed ? 'SIGNED' : 'UNSIGNED',
        size,
        vlen: values.length,
        values: values.map(({ name, value }) => enumValue(name, signed ? value : widened(value))),
      };
    }
    case 'ENUM64': {
      const { size, signed, values } = type;
      return {
        encoding: signed ? 'SIGNED' : 'UNSIGNED',
        size,
        vlen: values.length,
        values: values.map(({ name, value }) => enumValue(name, value)),
      };
    }
    case 'FWD':
      return { fwd_kind: type.union ? 'union' : 'struct' };
    case 'FUNC':
      return { type_id: type.typeId, linkage: linkage(type.linkage) };
    case 'FUNC_PROTO': {
      const params = type.params.map(({ name, typeId }) => ({ name: anon(name), type_id: typeId }));
      return { ret_type_id: type.returnTypeId, vlen: params.length, params };
    }
    case 'VAR':
      return { type_id: type.typeId, linkage: linkage(type.linkage) };
    case 'DATASEC': {
      const vars = type.vars.map(({ typeId, offset, size }) => ({ type_id: typeId, offset, size }));
      return { size: type.size, vlen: vars.length, vars };
    }
    case 'FLOAT':
      return { size: type.size };
    case 'DECL_TAG':
      return { type_id: type.typeId, component_idx: type.componentIdx };
    default:
      throw new Error(`bpftool prints no ${type.kind}`);
  }
}

function member({ name, typeId, bitOffset, bitfieldSize }: Member): object {
  const place = { name: anon(name), type_id: typeId, bits_offset: bitOffset };
  return bitfieldSize === 0 ? place : { ...place, bitfield_size: bitfieldSize };
}

/** Where bpftool prints unsigned values as JSON, it widens the kernel's __s32 to 64 bits. */
function widened(value: number): bigint {
  return BigInt.asUintN(64, BigInt(value | 0));
}

function enumValue(name: string, value: number | bigint): object {
  return { name: anon(name), val: String(value) };
}

function anon(name: string): string {
  return name === '' ? '(anon)' : name;
}

function intEncoding(encoding: number): string {
  const names = new Map([
    [0, '(none)'],
    [IntEncoding.SIGNED, 'SIGNED'],
    [IntEncoding.CHAR, 'CHAR'],
    [IntEncoding.BOOL, 'BOOL'],
  ]);
  return names.get(encoding) ?? 'UNKN';
}

function linkage(number: number): string {
  return ['static', 'global', 'extern'][number] ?? '(unknown)';
}
