import { KIND_ROWS } from '../kind-words.js';
import type { Spec } from '../spec.js';
import { type Enum, type Enum64, FuncLinkage, IntEncoding, Kind, type Type, VarLinkage } from '../types.js';

/** The fields that bpftool prints for a member, a parameter or a variable, with its names and in its order. */
type ElementFields = Readonly<Record<string, string | number>>;

/** The fields that bpftool prints after id, kind and name. The values of enums are printed in other ways. */
type Fields = Readonly<Record<string, string | number | readonly ElementFields[]>>;

/**
 * printRaw returns a type in the format of `bpftool btf dump … format raw`: a line, and one for each element, without a
 * line break at the end.
 *
 * @param spec where to look up the variables of a data section. Without it their names are left out.
 * @throws BtfFormatError `MALFORMED` if the name of such a variable lies outside the string section.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if it is too long.
 */
export function printRaw(type: Type, spec?: Spec): string {
  const fields = Object.entries(fieldsOf(type)).map(([field, value]) =>
    typeof value === 'object'
      ? value.map((element) => elementLine(element, spec)).join('')
      : ` ${field}=${value}`,
  );
  const values = type.kind === 'ENUM' || type.kind === 'ENUM64' ? valueLines(type) : '';
  return `[${type.id}] ${kindWord(type)} '${nameWord(type.name)}'${fields.join(type.kind === 'VAR' ? ',' : '')}${values}`;
}

/**
 * toBpftoolJson returns a type as `bpftool -j btf dump` writes it, with the same field names in the same order.
 *
 * Values of enums are integers of up to 64 bits, more than `JSON.parse` keeps. Like bpftool, it widens a negative bit
 * pattern of an unsigned 32-bit enum to 64 bits.
 */
export function toBpftoolJson(type: Type): string {
  const head = { id: type.id, kind: kindWord(type), name: nameWord(type.name), ...fieldsOf(type) };
  const json = JSON.stringify(head);
  if (type.kind !== 'ENUM' && type.kind !== 'ENUM64') return json;
  const values = type.values.map(({ name, value }) => {
    const shown = type.signed || typeof value === 'bigint' ? value : BigInt.asUintN(64, BigInt(value | 0));
    return `{"name":${JSON.stringify(nameWord(name))},"val":${shown}}`;
  });
  return `${json.slice(0, -1)},"values":[${values.join(',')}]}`;
}

function fieldsOf(type: Type): Fields {
  switch (type.kind) {
    case 'INT': {
      const { size, bitOffset, bits } = type;
      const encoding = encodingWord(type.encoding);
      return { size, bits_offset: bitOffset, nr_bits: bits, encoding };
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
    case 'UNION': {
      const members = type.members.map(({ name, typeId, bitOffset, bitfieldSize }) => {
        const place = { name: nameWord(name), type_id: typeId, bits_offset: bitOffset };
        return bitfieldSize === 0 ? place : { ...place, bitfield_size: bitfieldSize };
      });
      return { size: type.size, vlen: members.length, members };
    }
    case 'ENUM':
    case 'ENUM64':
      return { encoding: type.signed ? 'SIGNED' : 'UNSIGNED', size: type.size, vlen: type.values.length };
    case 'FWD':
      return { fwd_kind: type.union ? 'union' : 'struct' };
    case 'FUNC':
      return { type_id: type.typeId, linkage: FUNC_LINKAGES.get(type.linkage) ?? '(unknown)' };
    case 'FUNC_PROTO': {
      const params = type.params.map(({ name, typeId }) => ({ name: nameWord(name), type_id: typeId }));
      return { ret_type_id: type.returnTypeId, vlen: params.length, params };
    }
    case 'VAR':
      return { type_id: type.typeId, linkage: VAR_LINKAGES.get(type.linkage) ?? '(unknown)' };
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

function elementLine({ name, ...fields }: ElementFields, spec: Spec | undefined): string {
  const words = Object.entries(fields).map(([field, value]) => `${field}=${value}`);
  if (name !== undefined) words.unshift(`'${name}'`);
  else if (spec !== undefined) words.push(...variableWords(spec, Number(fields['type_id'])));
  return `\n\t${words.join(' ')}`;
}

/** The kind and name of a data section's variable. */
function variableWords(spec: Spec, typeId: number): string[] {
  if (typeId >= spec.endTypeId) return [];
  // Not decoded: it may be any type, and all lines of the section may refer to one type with a million members.
  return [`(${KIND_NAMES.get(spec.kindOf(typeId)) ?? 'UNKNOWN'} '${nameWord(spec.nameOf(typeId))}')`];
}

function valueLines({ kind, signed, values }: Enum | Enum64): string {
  const suffix = kind === 'ENUM' ? '' : signed ? 'LL' : 'ULL';
  return values.map(({ name, value }) => `\n\t'${nameWord(name)}' val=${value}${suffix}`).join('');
}

/** bpftool's word for a kind. It has one word for all kinds that it does not know. */
function kindWord({ kind }: Type): string {
  return kind === 'VOID' ? 'UNKNOWN' : kind;
}

/** A name as bpftool 7.8 shows it. */
function nameWord(name: string): string {
  return name === '' ? '(anon)' : name;
}

/** The names of kinds by their numbers. bpftool has no name for void. */
const KIND_NAMES: ReadonlyMap<number, string> = /* @__PURE__ */ new Map(
  Object.entries(Kind).flatMap(([name, number]) => (KIND_ROWS[number] === undefined ? [] : [[number, name]])),
);

/** encodingWord returns the encoding of an INT as bpftool 7.8 shows it. */
export function encodingWord(encoding: number): string {
  return ENCODINGS.get(encoding) ?? 'UNKN';
}

/** The names of the encodings of an INT, which are flags, of which bpftool knows one at a time. */
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
