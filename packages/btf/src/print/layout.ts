import { BtfFormatError } from '../format-error.js';
import { type PointerSize, pointerSize as inferPointerSize } from '../query/pointer-size.js';
import { resolve, unqualifiedId } from '../query/resolve.js';
import type { Spec } from '../spec.js';
import { Kind, type Struct, type TypeId, type Union } from '../types.js';
import { type MemberPlace, type Places, placesOf } from './layout-places.js';
import { roomSums } from './layout-remarks.js';
import { formatTypeName, memberDeclaration } from './type-name.js';

/** LayoutMember is a row for a member. */
export interface LayoutMember {
  readonly row: 'member';
  /** Number of anonymous types around it, plus 1. */
  readonly depth: number;
  readonly name: string;
  readonly typeId: TypeId;
  /** The type as C, such as `struct list_head *`. */
  readonly type: string;
  /** The whole declaration as C, such as `struct list_head *next`, without the width of a bitfield. */
  readonly declaration: string;
  /**
   * Bytes from the start of the outermost type. For a bitfield, the offset of the unit of its type's size that contains
   * it.
   */
  readonly offset: number;
  /** Size in bytes. */
  readonly size: number;
  /** Bits from `offset`; 0 if the member is not a bitfield. */
  readonly bitOffset: number;
  /** Width in bits; 0 if the member is not a bitfield. */
  readonly bitfieldSize: number;
  /** Bytes of padding within it, after its own last member; 0 if its type is not a struct. */
  readonly innerPadding: number;
}

/** LayoutOpen is a row for a member whose type is anonymous. The rows up to its {@link LayoutClose} are its members. */
export interface LayoutOpen {
  readonly row: 'open';
  readonly depth: number;
  /** `struct` or `union`, after qualifiers such as `const`. */
  readonly type: string;
  readonly typeId: TypeId;
  readonly offset: number;
  readonly size: number;
}

/** LayoutClose is a row for the end of an anonymous type. */
export interface LayoutClose {
  readonly row: 'close';
  readonly depth: number;
  /** The name of the member; empty if the names of its own members are in the outer scope. */
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  /** Bytes of padding within it, after its own last member; 0 if it is not a struct. */
  readonly innerPadding: number;
}

/** LayoutGap is a row for bytes and bits between two members (`hole`) or after the last one (`padding`). */
export interface LayoutGap {
  readonly row: 'hole' | 'padding';
  readonly depth: number;
  /** Bytes from the start of the outermost type. The bits come first. */
  readonly offset: number;
  readonly bytes: number;
  /** Bits that are left in the unit of a bitfield. */
  readonly bits: number;
}

/** LayoutRow is a line of a {@link Layout}. `row` says which. */
export type LayoutRow = LayoutMember | LayoutOpen | LayoutClose | LayoutGap;

/** Layout is the memory layout of a struct or union. */
export interface Layout {
  /** The spec that has the type. */
  readonly spec: Spec;
  readonly typeId: TypeId;
  /** Bytes of a pointer. */
  readonly pointerSize: PointerSize;
  readonly keyword: 'struct' | 'union';
  /** Empty for an anonymous type. */
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
  /** Number of direct members: an anonymous type counts as one. */
  readonly memberCount: number;
  readonly rows: readonly LayoutRow[];
  /** Bytes of the members, without holes and padding. Members of a union share their place, but all are counted. */
  readonly memberBytes: number;
  readonly holes: number;
  readonly holeBytes: number;
  readonly bitHoles: number;
  readonly holeBits: number;
  /** Number of bits in bitfields. */
  readonly bitfieldBits: number;
  /** Bytes after the last member. */
  readonly padding: number;
  /** Bits after the last member if that is a bitfield, before the bytes. */
  readonly paddingBits: number;
  /** Number of direct members that are structs with padding. */
  readonly innerPaddings: number;
  /** Bytes of that padding. */
  readonly innerPaddingBytes: number;
  /** Number of direct members whose place does not follow from their types: it needs an attribute. This is inferred. */
  readonly forcedAlignments: number;
  /** Number of holes before these members. */
  readonly forcedHoles: number;
  readonly forcedHoleBytes: number;
}

/** LayoutOptions are the options of {@link layoutOf}. */
export interface LayoutOptions {
  /** Bytes of a pointer. Default: the size of the spec's `long`, otherwise 8. */
  readonly pointerSize?: PointerSize;
  /** Maximum number of rows. Default: 65,536; the largest struct of a kernel takes a few thousand. */
  readonly maxRows?: number;
}

const DEFAULT_MAX_ROWS = 65_536;

/**
 * Maximum text of all rows, in characters. The largest struct of a kernel takes less than a megabyte. Rows may share
 * one long name, which must not cost its length for each.
 */
const MAX_TEXT = 16 * 1024 * 1024;

/** The depth to which the kernel lets types nest. */
const MAX_DEPTH = 32;

/**
 * layoutOf returns the memory layout of a struct or union: offset and size of each member, with those of anonymous
 * types in place, holes and padding. Modelled on pahole.
 *
 * @param id a STRUCT or UNION, or a typedef or qualifier of one.
 * @throws BtfLookupError `NOT_FOUND` if there is no such id.
 * @throws BtfFormatError `INVALID_ARGUMENT` if the type is not a struct or union, or a member has no size.
 * @throws BtfFormatError `LIMIT_EXCEEDED` for more rows than `maxRows`, more than 16 MiB of text, more than 32 levels of
 * anonymous types, and more than 512 levels of types.
 * @throws BtfFormatError `MALFORMED` for a reference to a type that does not exist, a type that contains itself, and a
 * name outside the string section.
 * @throws BtfFormatError `UNSUPPORTED` for a member of an unknown kind.
 */
export function layoutOf(spec: Spec, id: TypeId, options: LayoutOptions = {}): Layout {
  const type = resolve(spec, id);
  if (type.kind !== 'STRUCT' && type.kind !== 'UNION') {
    throw new BtfFormatError('INVALID_ARGUMENT', `a ${type.kind} has no layout`, { typeId: id });
  }
  const pointerSize = options.pointerSize ?? inferPointerSize(spec);
  return new LayoutWriter(spec, pointerSize, options.maxRows ?? DEFAULT_MAX_ROWS).layout(type);
}

class LayoutWriter {
  readonly #spec: Spec;
  readonly #pointerSize: PointerSize;
  readonly #maxRows: number;
  readonly #rows: LayoutRow[] = [];
  #text = 0;
  /** The padding of the structs that are types of members. */
  readonly #paddings = new Map<TypeId, number>();

  constructor(spec: Spec, pointerSize: PointerSize, maxRows: number) {
    this.#spec = spec;
    this.#pointerSize = pointerSize;
    this.#maxRows = maxRows;
  }

  layout(type: Struct | Union): Layout {
    const places = this.#addMembers(type, 0, 1);
    const paddings = places.members
      .map((place) => this.#innerPadding(type, place))
      .filter((bytes) => bytes > 0);
    return {
      spec: this.#spec,
      typeId: type.id,
      pointerSize: this.#pointerSize,
      keyword: keywordOf(type),
      name: type.name,
      size: type.size,
      memberCount: type.members.length,
      rows: this.#rows,
      ...roomSums(places),
      innerPaddings: paddings.length,
      innerPaddingBytes: paddings.reduce((sum, bytes) => sum + bytes, 0),
    };
  }

  /** @param start bytes from the start of the outermost type. */
  #addMembers(type: Struct | Union, start: number, depth: number): Places {
    const places = placesOf(this.#spec, this.#pointerSize, type);
    for (const [index, place] of places.members.entries()) {
      const { gap } = place;
      if (gap !== null) this.#add({ row: 'hole', depth, ...gap, offset: start + gap.offset });
      this.#addMember(type, index, place, start, depth);
    }
    const { padding } = places;
    if (padding !== null) this.#add({ row: 'padding', depth, ...padding, offset: start + padding.offset });
    return places;
  }

  #addMember(
    composite: Struct | Union,
    index: number,
    place: MemberPlace,
    start: number,
    depth: number,
  ): void {
    const { name, typeId, size, bitOffset, bitfieldSize } = place;
    const offset = start + place.offset;
    const innerPadding = this.#innerPadding(composite, place);
    const type = bitfieldSize === 0 ? this.#anonymous(typeId) : null;
    if (type !== null) {
      const [head = ''] = formatTypeName(this.#spec, typeId).split(' {');
      this.#add({ row: 'open', depth, type: head, typeId, offset, size });
      this.#addMembers(type, offset, depth + 1);
      this.#add({ row: 'close', depth, name, offset, size, innerPadding });
      return;
    }
    this.#add({
      row: 'member',
      depth,
      name,
      typeId,
      type: formatTypeName(this.#spec, typeId),
      declaration: memberDeclaration(this.#spec, composite.id, index),
      offset,
      size,
      bitOffset,
      bitfieldSize,
      innerPadding,
    });
  }

  /** The anonymous struct or union whose members get rows; null for any other type. */
  #anonymous(typeId: TypeId): Struct | Union | null {
    const id = unqualifiedId(this.#spec, typeId);
    // A type with a name is not decoded: it may have a million members, and as many members may have that type.
    if (id === 0 || this.#spec.nameOf(id) !== '') return null;
    const kind = this.#spec.kindOf(id);
    if (kind !== Kind.STRUCT && kind !== Kind.UNION) return null;
    const type = this.#spec.typeById(id);
    return type.kind === 'STRUCT' || type.kind === 'UNION' ? type : null;
  }

  /** As in pahole, only members of structs count, and only if their type is a struct itself, not a typedef of one. */
  #innerPadding({ kind }: Struct | Union, { typeId, bitfieldSize }: MemberPlace): number {
    if (kind === 'UNION' || bitfieldSize !== 0) return 0;
    const known = this.#paddings.get(typeId);
    if (known !== undefined) return known;
    const type = this.#spec.kindOf(typeId) === Kind.STRUCT ? this.#spec.typeById(typeId) : null;
    const places = type?.kind === 'STRUCT' ? placesOf(this.#spec, this.#pointerSize, type) : null;
    const padding = places?.padding?.bytes ?? 0;
    this.#paddings.set(typeId, padding);
    return padding;
  }

  #add(row: LayoutRow): void {
    if (this.#rows.length >= this.#maxRows) {
      throw new BtfFormatError('LIMIT_EXCEEDED', `the layout exceeds the limit of ${this.#maxRows} rows`);
    }
    if (row.depth > MAX_DEPTH) {
      throw new BtfFormatError('LIMIT_EXCEEDED', `anonymous types nest deeper than ${MAX_DEPTH} levels`);
    }
    if (row.row === 'member') this.#text += row.type.length + row.declaration.length;
    if (this.#text > MAX_TEXT) {
      throw new BtfFormatError('LIMIT_EXCEEDED', `the layout exceeds the limit of ${MAX_TEXT} characters`);
    }
    this.#rows.push(row);
  }
}

function keywordOf({ kind }: Struct | Union): 'struct' | 'union' {
  return kind === 'STRUCT' ? 'struct' : 'union';
}
