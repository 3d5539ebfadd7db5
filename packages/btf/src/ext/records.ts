import type { TypeId } from '../types.js';

/** FuncRecord has the type of the function that begins at an instruction. */
export interface FuncRecord {
  /** Instructions from the start of the section. */
  readonly instruction: number;
  /** The id of a FUNC in the object's BTF. */
  readonly typeId: TypeId;
}

/**
 * RELOCATION_KINDS are the names of the kinds of CO-RE relocations by their numbers in `.BTF.ext`: those of `enum
 * bpf_core_relo_kind` without `BPF_CORE_`.
 */
export const RELOCATION_KINDS = [
  'FIELD_BYTE_OFFSET',
  'FIELD_BYTE_SIZE',
  'FIELD_EXISTS',
  'FIELD_SIGNED',
  'FIELD_LSHIFT_U64',
  'FIELD_RSHIFT_U64',
  'TYPE_ID_LOCAL',
  'TYPE_ID_TARGET',
  'TYPE_EXISTS',
  'TYPE_SIZE',
  'ENUMVAL_EXISTS',
  'ENUMVAL_VALUE',
  'TYPE_MATCHES',
] as const;

/** RelocationKind is what a CO-RE relocation asks of the target. */
export type RelocationKind = (typeof RELOCATION_KINDS)[number];

/** RELOCATION_NAMES are the names of the kinds of relocations in the logs of libbpf and cilium/ebpf. */
export const RELOCATION_NAMES: Readonly<Record<RelocationKind, string>> = {
  FIELD_BYTE_OFFSET: 'byte_off',
  FIELD_BYTE_SIZE: 'byte_sz',
  FIELD_EXISTS: 'field_exists',
  FIELD_SIGNED: 'signed',
  FIELD_LSHIFT_U64: 'lshift_u64',
  FIELD_RSHIFT_U64: 'rshift_u64',
  TYPE_ID_LOCAL: 'local_type_id',
  TYPE_ID_TARGET: 'target_type_id',
  TYPE_EXISTS: 'type_exists',
  TYPE_SIZE: 'type_size',
  ENUMVAL_EXISTS: 'enumval_exists',
  ENUMVAL_VALUE: 'enumval_value',
  TYPE_MATCHES: 'type_matches',
};

/** CoreRelocation is one `bpf_core_relo` record: an instruction whose value depends on the kernel's types. */
export interface CoreRelocation {
  /** Instructions from the start of the section. */
  readonly instruction: number;
  /** The id of the root type in the object's BTF. It may not exist. */
  readonly typeId: TypeId;
  /** Indexes of members, elements or values, from the root on: `0:3:0`. It may be invalid. */
  readonly access: string;
  /** Null if the number is not one of {@link RELOCATION_KINDS}. */
  readonly kind: RelocationKind | null;
  readonly kindNumber: number;
}

/** CoreRelocationBlock has relocations of one ELF section. */
export interface CoreRelocationBlock {
  /** The name of the section, with its `?` if it has one. */
  readonly section: string;
  readonly relocations: readonly CoreRelocation[];
}
