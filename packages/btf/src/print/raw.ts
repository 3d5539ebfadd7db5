import { Kind } from '../kind.js';
import type { Spec } from '../spec.js';
import type { Member, Type, VarSecinfo } from '../types.js';
import {
  encodingWord,
  funcLinkageWord,
  kindWord,
  nameWord,
  signWord,
  varLinkageWord,
} from './bpftool-words.js';

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
