/** TypeId is the number of a type within a {@link Spec}. 0 is void; split BTF continues the numbers of its base. */
export type TypeId = number;

/** IntEncoding has the bits of {@link Int.encoding}. The kernel accepts none or exactly one of them. */
export const IntEncoding = { SIGNED: 1, CHAR: 2, BOOL: 4 } as const;

/** FuncLinkage has the values of {@link Func.linkage} (Linux 5.6). */
export const FuncLinkage = { STATIC: 0, GLOBAL: 1, EXTERN: 2 } as const;

/** VarLinkage has the values of {@link Var.linkage}. */
export const VarLinkage = { STATIC: 0, GLOBAL: 1, EXTERN: 2 } as const;

interface Named<K extends string> {
  /** The kind, named as in the kernel without the prefix `BTF_KIND_`. */
  readonly kind: K;
  readonly id: TypeId;
  /** The name; empty for anonymous types. */
  readonly name: string;
}

/** Void is type 0 of every BTF. It has no bytes of its own. */
export interface Void extends Named<'VOID'> {}

/** Int is an integer, a character or a boolean. */
export interface Int extends Named<'INT'> {
  /** Size in bytes. */
  readonly size: number;
  /** {@link IntEncoding} bits. */
  readonly encoding: number;
  /** Bits in use, counted from `bitOffset`. */
  readonly bits: number;
  readonly bitOffset: number;
}

/** Pointer is a `T *`. */
export interface Pointer extends Named<'PTR'> {
  readonly typeId: TypeId;
}

/** Array is a `T[nelems]`. */
export interface Array extends Named<'ARRAY'> {
  readonly typeId: TypeId;
  readonly indexTypeId: TypeId;
  readonly nelems: number;
}

/** Member is a field of a {@link Struct} or {@link Union}. */
export interface Member {
  /** The name; empty for anonymous members. */
  readonly name: string;
  readonly typeId: TypeId;
  /** Offset from the start of the composite, in bits. */
  readonly bitOffset: number;
  /** Width in bits; 0 if the member is not a bitfield. */
  readonly bitfieldSize: number;
}

interface Composite<K extends string> extends Named<K> {
  /** Size in bytes. */
  readonly size: number;
  readonly members: readonly Member[];
}

/** Struct is a `struct`. */
export interface Struct extends Composite<'STRUCT'> {}

/** Union is a `union`. */
export interface Union extends Composite<'UNION'> {}

/** EnumValue is one constant of an {@link Enum}. */
export interface EnumValue {
  readonly name: string;
  readonly value: number;
}

/** Enum is an `enum` with values of at most 32 bits. */
export interface Enum extends Named<'ENUM'> {
  /** Size in bytes. */
  readonly size: number;
  /** Whether values are signed (the kind flag). */
  readonly signed: boolean;
  readonly values: readonly EnumValue[];
}

/** Fwd is a forward declaration of a struct or union. */
export interface Fwd extends Named<'FWD'> {
  /** Whether it declares a union (the kind flag); otherwise it declares a struct. */
  readonly union: boolean;
}

/** Typedef is another name for a type. */
export interface Typedef extends Named<'TYPEDEF'> {
  readonly typeId: TypeId;
}

/** Volatile is a `volatile T`. */
export interface Volatile extends Named<'VOLATILE'> {
  readonly typeId: TypeId;
}

/** Const is a `const T`. */
export interface Const extends Named<'CONST'> {
  readonly typeId: TypeId;
}

/** Restrict is a `T restrict`. */
export interface Restrict extends Named<'RESTRICT'> {
  readonly typeId: TypeId;
}

/** Func is a function: a name for a {@link FuncProto} (Linux 5.0). */
export interface Func extends Named<'FUNC'> {
  /** The id of its FuncProto. */
  readonly typeId: TypeId;
  /** A {@link FuncLinkage}. It is a number because hostile BTF can hold other values. */
  readonly linkage: number;
}

/** FuncParam is a parameter of a {@link FuncProto}. */
export interface FuncParam {
  /** The name; empty for an unnamed parameter and for the `...` of a variadic function (with type 0). */
  readonly name: string;
  readonly typeId: TypeId;
}

/** FuncProto is the signature of a function (Linux 5.0). */
export interface FuncProto extends Named<'FUNC_PROTO'> {
  readonly returnTypeId: TypeId;
  readonly params: readonly FuncParam[];
}

/** Var is a global variable (Linux 5.2). */
export interface Var extends Named<'VAR'> {
  readonly typeId: TypeId;
  /** A {@link VarLinkage}. It is a number because hostile BTF can hold other values. */
  readonly linkage: number;
}

/** VarSecinfo places a {@link Var} in a {@link Datasec}. */
export interface VarSecinfo {
  readonly typeId: TypeId;
  /** Offset within the section, in bytes. */
  readonly offset: number;
  /** Size in bytes. */
  readonly size: number;
}

/** Datasec is a section of variables, such as `.bss` (Linux 5.2). */
export interface Datasec extends Named<'DATASEC'> {
  /** Size in bytes. */
  readonly size: number;
  readonly vars: readonly VarSecinfo[];
}

/** Float is a floating point number (Linux 5.13). */
export interface Float extends Named<'FLOAT'> {
  /** Size in bytes. */
  readonly size: number;
}

/** DeclTag annotates a declaration; its name is the text of the tag (Linux 5.16). */
export interface DeclTag extends Named<'DECL_TAG'> {
  readonly typeId: TypeId;
  /** Index of the tagged member or parameter; -1 if the tag is on the type itself. */
  readonly componentIdx: number;
  /** Whether the tag is a raw `__attribute__((name))` (the kind flag, Linux 6.15). */
  readonly attribute: boolean;
}

/** TypeTag annotates a type; its name is the text of the tag (Linux 5.17). */
export interface TypeTag extends Named<'TYPE_TAG'> {
  readonly typeId: TypeId;
  /** Whether the tag is a raw `__attribute__((name))` (the kind flag, Linux 6.15). */
  readonly attribute: boolean;
}

/** Enum64Value is one constant of an {@link Enum64}. */
export interface Enum64Value {
  readonly name: string;
  readonly value: bigint;
}

/** Enum64 is an `enum` with values of up to 64 bits (Linux 6.0). */
export interface Enum64 extends Named<'ENUM64'> {
  /** Size in bytes. */
  readonly size: number;
  /** Whether values are signed (the kind flag). */
  readonly signed: boolean;
  readonly values: readonly Enum64Value[];
}

/**
 * Unknown is a type of a kind newer than this library, with its words as they are. Only BTF with a layout section
 * (Linux 7.1) can hold one: without it the size of an unknown kind is not known.
 */
export interface Unknown extends Named<'UNKNOWN'> {
  /** The kind's number. */
  readonly kindNumber: number;
  readonly kindFlag: boolean;
  readonly vlen: number;
  /** The third word of the type: a size or a type id, depending on the kind. */
  readonly sizeOrTypeId: number;
  /** The bytes after the type's three words, in the byte order of the BTF. */
  readonly data: Uint8Array;
}

/** Type is any type of BTF. `kind` says which. */
export type Type =
  | Void
  | Int
  | Pointer
  | Array
  | Struct
  | Union
  | Enum
  | Fwd
  | Typedef
  | Volatile
  | Const
  | Restrict
  | Func
  | FuncProto
  | Var
  | Datasec
  | Float
  | DeclTag
  | TypeTag
  | Enum64
  | Unknown;

/** KindName is a value of {@link Type.kind}. */
export type KindName = Type['kind'];

/** Kind is the number of each kind in a type's info word (`BTF_KIND_*` of `linux/btf.h`). */
export const Kind = {
  VOID: 0,
  INT: 1,
  PTR: 2,
  ARRAY: 3,
  STRUCT: 4,
  UNION: 5,
  ENUM: 6,
  FWD: 7,
  TYPEDEF: 8,
  VOLATILE: 9,
  CONST: 10,
  RESTRICT: 11,
  FUNC: 12,
  FUNC_PROTO: 13,
  VAR: 14,
  DATASEC: 15,
  FLOAT: 16,
  DECL_TAG: 17,
  TYPE_TAG: 18,
  ENUM64: 19,
} as const satisfies Record<Exclude<KindName, 'UNKNOWN'>, number>;

/**
 * KindRow describes the types of one kind. A type consists of three words (name, info, and a third one), of words that
 * its kind has once, and of `vlen` elements.
 */
export interface KindRow {
  /** The first Linux release that accepts the kind. */
  readonly since: readonly [major: number, minor: number];
  /** Whether types of the kind have names. */
  readonly named: 'ALWAYS' | 'OPTIONAL' | 'NEVER';
  /** Contents of the third word. */
  readonly third: 'SIZE' | 'TYPE_ID' | 'UNUSED';
  /** Words that follow the third once. */
  readonly once: number;
  /** Number of those, from the first on, that are type ids. */
  readonly onceIds: number;
  /** Words of an element; 0 if the kind has no elements. */
  readonly each: number;
  /** Whether an element begins with a name. */
  readonly eachNamed: boolean;
  /** Index of the word of an element that is a type id; -1 if it has none. */
  readonly eachId: number;
  /**
   * Source of a type's size: its third word, the machine's pointers, the type that it refers to, or a count of those.
   */
  readonly size: 'OWN' | 'POINTER' | 'TARGET' | 'ELEMENTS' | 'NONE';
  /** Whether a type stands for the one that it refers to: a typedef, a qualifier, a type tag. */
  readonly alias: boolean;
  /** Whether any type may refer to it; otherwise only variables, sections and tags do. */
  readonly referable: boolean;
  /** How `dedup` finds equal types: by their words, by the graph they lead to, by the ids they refer to, or not at all. */
  readonly dedup: 'WORDS' | 'GRAPH' | 'REFERENCES' | 'NEVER';
}

const PLAIN: KindRow = {
  since: [4, 18],
  named: 'OPTIONAL',
  third: 'SIZE',
  once: 0,
  onceIds: 0,
  each: 0,
  eachNamed: false,
  eachId: -1,
  size: 'OWN',
  alias: false,
  referable: true,
  dedup: 'WORDS',
};
const COMPOSITE: KindRow = { ...PLAIN, each: 3, eachNamed: true, eachId: 1, dedup: 'GRAPH' };
const REFERENCE: KindRow = {
  ...PLAIN,
  named: 'NEVER',
  third: 'TYPE_ID',
  size: 'TARGET',
  dedup: 'REFERENCES',
};
const QUALIFIER: KindRow = { ...REFERENCE, alias: true };

/** KINDS has a row for each kind but void. Everything that reads types word by word reads these rows. */
export const KINDS: Readonly<Record<Exclude<KindName, 'VOID' | 'UNKNOWN'>, KindRow>> = {
  INT: { ...PLAIN, once: 1 },
  PTR: { ...REFERENCE, size: 'POINTER' },
  ARRAY: { ...REFERENCE, third: 'UNUSED', once: 3, onceIds: 2, size: 'ELEMENTS' },
  STRUCT: COMPOSITE,
  UNION: COMPOSITE,
  ENUM: { ...PLAIN, each: 2, eachNamed: true },
  FWD: { ...PLAIN, named: 'ALWAYS', third: 'UNUSED', size: 'NONE' },
  TYPEDEF: { ...QUALIFIER, named: 'ALWAYS', dedup: 'GRAPH' },
  VOLATILE: QUALIFIER,
  CONST: QUALIFIER,
  RESTRICT: QUALIFIER,
  FUNC: { ...REFERENCE, since: [5, 0], named: 'ALWAYS', size: 'NONE' },
  FUNC_PROTO: { ...REFERENCE, since: [5, 0], each: 2, eachNamed: true, eachId: 1, size: 'NONE' },
  VAR: { ...REFERENCE, since: [5, 2], named: 'ALWAYS', once: 1, referable: false, dedup: 'NEVER' },
  DATASEC: { ...PLAIN, since: [5, 2], named: 'ALWAYS', each: 3, eachId: 0, referable: false, dedup: 'NEVER' },
  FLOAT: { ...PLAIN, since: [5, 13] },
  DECL_TAG: { ...REFERENCE, since: [5, 16], named: 'ALWAYS', once: 1, referable: false },
  TYPE_TAG: { ...QUALIFIER, since: [5, 17], named: 'ALWAYS' },
  ENUM64: { ...PLAIN, since: [6, 0], each: 3, eachNamed: true },
};
