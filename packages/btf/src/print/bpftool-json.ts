import type { Member, Type } from '../types.js';
import {
  encodingWord,
  funcLinkageWord,
  kindWord,
  nameWord,
  signWord,
  varLinkageWord,
} from './bpftool-words.js';

/**
 * toBpftoolJson writes a type as `bpftool -j btf dump` does, with its field names in its order.
 *
 * Values of enums are integers of up to 64 bits, more than `JSON.parse` keeps. As bpftool, it widens a negative
 * bit pattern of an unsigned 32-bit enum to 64 bits.
 */
export function toBpftoolJson(type: Type): string {
  const head = { id: type.id, kind: kindWord(type), name: nameWord(type.name), ...fields(type) };
  const json = JSON.stringify(head);
  if (type.kind !== 'ENUM' && type.kind !== 'ENUM64') return json;
  const values = type.values.map(({ name, value }) => {
    const shown = type.signed || typeof value === 'bigint' ? value : BigInt.asUintN(64, BigInt(value | 0));
    return `{"name":${JSON.stringify(nameWord(name))},"val":${shown}}`;
  });
  return `${json.slice(0, -1)},"values":[${values.join(',')}]}`;
}

function fields(type: Type): object {
  switch (type.kind) {
    case 'INT': {
      const { size, bitOffset, bits } = type;
      return { size, bits_offset: bitOffset, nr_bits: bits, encoding: encodingWord(type.encoding) };
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
      return { size: type.size, vlen: type.members.length, members: type.members.map(memberFields) };
    case 'ENUM':
    case 'ENUM64':
      return { encoding: signWord(type.signed), size: type.size, vlen: type.values.length };
    case 'FWD':
      return { fwd_kind: type.union ? 'union' : 'struct' };
    case 'FUNC':
      return { type_id: type.typeId, linkage: funcLinkageWord(type.linkage) };
    case 'FUNC_PROTO': {
      const params = type.params.map(({ name, typeId }) => ({ name: nameWord(name), type_id: typeId }));
      return { ret_type_id: type.returnTypeId, vlen: params.length, params };
    }
    case 'VAR':
      return { type_id: type.typeId, linkage: varLinkageWord(type.linkage) };
    case 'DATASEC': {
      const vars = type.vars.map(({ typeId, offset, size }) => ({ type_id: typeId, offset, size }));
      return { size: type.size, vlen: vars.length, vars };
    }
    case 'FLOAT':
      return { size: type.size };
    case 'DECL_TAG':
      return { type_id: type.typeId, component_idx: type.componentIdx };
    case 'VOID':
    case 'UNKNOWN':
      return {};
  }
}

function memberFields({ name, typeId, bitOffset, bitfieldSize }: Member): object {
  const place = { name: nameWord(name), type_id: typeId, bits_offset: bitOffset };
  return bitfieldSize === 0 ? place : { ...place, bitfield_size: bitfieldSize };
}
