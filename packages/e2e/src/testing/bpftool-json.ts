import type { Type } from '@btfd/api';

const KINDS = [
  'UNKNOWN',
  'INT',
  'PTR',
  'ARRAY',
  'STRUCT',
  'UNION',
  'ENUM',
  'FWD',
  'TYPEDEF',
  'VOLATILE',
  'CONST',
  'RESTRICT',
  'FUNC',
  'FUNC_PROTO',
  'VAR',
  'DATASEC',
  'FLOAT',
  'DECL_TAG',
  'TYPE_TAG',
  'ENUM64',
];

/** bpftoolJson converts a Type message to the JSON that bpftool 7.1 prints for the type. */
export function bpftoolJson(type: Type): object {
  return { id: type.id, kind: KINDS[type.kind], name: anon(type.name), ...detail(type) };
}

function detail({ detail: { case: kind, value } }: Type): object {
  switch (kind) {
    case 'int': {
      const { size, bitOffset, bits, encoding } = value;
      return { size, bits_offset: bitOffset, nr_bits: bits, encoding: INT_ENCODINGS.get(encoding) };
    }
    case 'ptr':
    case 'typedef':
    case 'volatile':
    case 'const':
    case 'restrict':
    case 'typeTag':
      return { type_id: value.typeId };
    case 'array':
      return { type_id: value.typeId, index_type_id: value.indexTypeId, nr_elems: value.nelems };
    case 'struct':
    case 'union': {
      const members = value.members.map(({ name, typeId, bitOffset, bitfieldSize }) => ({
        name: anon(name),
        type_id: typeId,
        bits_offset: bitOffset,
        ...(bitfieldSize === 0 ? {} : { bitfield_size: bitfieldSize }),
      }));
      return { size: value.size, vlen: members.length, members };
    }
    case 'enum':
      return enumJson(
        value,
        value.values.map((item) => ({
          name: item.name,
          // bpftool widens the kernel's __s32 to 64 bits.
          val: value.signed ? item.value : BigInt.asUintN(64, BigInt.asIntN(32, item.value)),
        })),
      );
    case 'enum64':
      return enumJson(
        value,
        value.values.map(({ name, bits }) => ({ name, val: value.signed ? BigInt.asIntN(64, bits) : bits })),
      );
    case 'fwd':
      return { fwd_kind: value.union ? 'union' : 'struct' };
    case 'func':
    case 'var':
      return { type_id: value.typeId, linkage: ['static', 'global', 'extern'][value.linkage] };
    case 'funcProto': {
      const params = value.params.map(({ name, typeId }) => ({ name: anon(name), type_id: typeId }));
      return { ret_type_id: value.returnTypeId, vlen: params.length, params };
    }
    case 'datasec': {
      const vars = value.vars.map(({ typeId, offset, size }) => ({ type_id: typeId, offset, size }));
      return { size: value.size, vlen: vars.length, vars };
    }
    case 'float':
      return { size: value.size };
    case 'declTag':
      return { type_id: value.typeId, component_idx: value.componentIdx };
    default:
      throw new Error(`bpftool does not print ${kind}`);
  }
}

const INT_ENCODINGS = new Map([
  [0, '(none)'],
  [1, 'SIGNED'],
  [2, 'CHAR'],
  [4, 'BOOL'],
]);

function enumJson(
  { size, signed }: { readonly size: number; readonly signed: boolean },
  values: readonly { readonly name: string; readonly val: bigint }[],
): object {
  return {
    encoding: signed ? 'SIGNED' : 'UNSIGNED',
    size,
    vlen: values.length,
    values: values.map(({ name, val }) => ({ name: anon(name), val: String(val) })),
  };
}

function anon(name: string): string {
  return name === '' ? '(anon)' : name;
}
