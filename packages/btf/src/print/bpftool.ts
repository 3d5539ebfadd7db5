import type { Spec } from '../spec.js';
import {
  FuncLinkage,
  IntEncoding,
  Kind,
  type Member,
  type Type,
  VarLinkage,
  type VarSecinfo,
} from '../types.js';

const ENCODINGS = new Map<number, string>([
  [0, '(none)'],
  [IntEncoding.SIGNED, 'SIGNED'],
  [IntEncoding.CHAR, 'CHAR'],
  [IntEncoding.BOOL, 'BOOL'],
]);

const FUNC_LINKAGES = new Map<number, string>([
  [FuncLinkage.STATIC, 'static'],
  [FuncLinkage.GLOBAL, 'global'],
  [FuncLinkage.EXTERN, 'extern'],
]);

const VAR_LINKAGES = new Map<number, string>([
  [VarLinkage.STATIC, 'static'],
  [VarLinkage.GLOBAL, 'global'],
  [VarLinkage.EXTERN, 'extern'],
]);

/** kindWord is bpftool's word for a type's kind; it has one for all that it does not know. */
export function kindWord({ kind }: Type): string {
  return kind === 'VOID' ? 'UNKNOWN' : kind;
}

/** nameWord is a name as bpftool shows it. */
export function nameWord(name: string): string {
  return name === '' ? '(anon)' : name;
}

/** encodingWord is the word for an INT's encoding. */
export function encodingWord(encoding: number): string {
  return ENCODINGS.get(encoding) ?? 'UNKN';
}

/** signWord is the word for the encoding of an enum. */
export function signWord(signed: boolean): string {
  return signed ? 'SIGNED' : 'UNSIGNED';
}

/** funcLinkageWord is the word for the linkage of a FUNC. */
export function funcLinkageWord(linkage: number): string {
  return FUNC_LINKAGES.get(linkage) ?? '(unknown)';
}

/** varLinkageWord is the word for the linkage of a VAR. */
export function varLinkageWord(linkage: number): string {
  return VAR_LINKAGES.get(linkage) ?? '(unknown)';
}

/**
 * printRaw writes a type as `bpftool btf dump … format raw` does: a line, and one for each element, without a
 * line break at the end.
 *
 * @param spec where the names of a data section's variables are looked up; without it they are left out.
 */
export function printRaw(type: Type, spec?: Spec): string {
  return `[${type.id}] ${kindWord(type)} '${nameWord(type.name)}'${details(type, spec)}`;
}

function details(type: Type, spec: Spec | undefined): string {
  switch (type.kind) {
    case 'INT':
      return ` size=${type.size} bits_offset=${type.bitOffset} nr_bits=${type.bits} encoding=${encodingWord(type.encoding)}`;
    case 'PTR':
    case 'TYPEDEF':
    case 'VOLATILE':
    case 'CONST':
    case 'RESTRICT':
    case 'TYPE_TAG':
      return ` type_id=${type.typeId}`;
    case 'ARRAY':
      return ` type_id=${type.typeId} index_type_id=${type.indexTypeId} nr_elems=${type.nelems}`;
    case 'STRUCT':
    case 'UNION':
      return ` size=${type.size} vlen=${type.members.length}${type.members.map(memberLine).join('')}`;
    case 'ENUM': {
      const lines = type.values.map(({ name, value }) => `\n\t'${nameWord(name)}' val=${value}`);
      return ` encoding=${signWord(type.signed)} size=${type.size} vlen=${lines.length}${lines.join('')}`;
    }
    case 'ENUM64': {
      const suffix = type.signed ? 'LL' : 'ULL';
      const lines = type.values.map(({ name, value }) => `\n\t'${nameWord(name)}' val=${value}${suffix}`);
      return ` encoding=${signWord(type.signed)} size=${type.size} vlen=${lines.length}${lines.join('')}`;
    }
    case 'FWD':
      return ` fwd_kind=${type.union ? 'union' : 'struct'}`;
    case 'FUNC':
      return ` type_id=${type.typeId} linkage=${funcLinkageWord(type.linkage)}`;
    case 'FUNC_PROTO': {
      const lines = type.params.map(({ name, typeId }) => `\n\t'${nameWord(name)}' type_id=${typeId}`);
      return ` ret_type_id=${type.returnTypeId} vlen=${lines.length}${lines.join('')}`;
    }
    case 'VAR':
      return ` type_id=${type.typeId}, linkage=${varLinkageWord(type.linkage)}`;
    case 'DATASEC': {
      const lines = type.vars.map((info) => secinfoLine(info, spec));
      return ` size=${type.size} vlen=${lines.length}${lines.join('')}`;
    }
    case 'FLOAT':
      return ` size=${type.size}`;
    case 'DECL_TAG':
      return ` type_id=${type.typeId} component_idx=${type.componentIdx}`;
    case 'VOID':
    case 'UNKNOWN':
      return '';
  }
}

function memberLine({ name, typeId, bitOffset, bitfieldSize }: Member): string {
  const line = `\n\t'${nameWord(name)}' type_id=${typeId} bits_offset=${bitOffset}`;
  return bitfieldSize === 0 ? line : `${line} bitfield_size=${bitfieldSize}`;
}

function secinfoLine({ typeId, offset, size }: VarSecinfo, spec: Spec | undefined): string {
  const line = `\n\ttype_id=${typeId} offset=${offset} size=${size}`;
  if (spec === undefined || typeId >= spec.endTypeId) return line;
  // Not decoded: it need be no variable, and all of the section's lines may name one type with a million members.
  return `${line} (${KIND_WORDS.get(spec.kindOf(typeId)) ?? 'UNKNOWN'} '${nameWord(spec.nameOf(typeId))}')`;
}

/** The words of kinds by their numbers, without void's, for which bpftool has none. */
const KIND_WORDS: ReadonlyMap<number, string> = new Map(
  Object.entries(Kind).flatMap(([word, number]) => (number === 0 ? [] : [[number, word]])),
);

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
