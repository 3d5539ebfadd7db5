import type { PointerSize } from '../query/pointer-size.js';
import type { Spec } from '../spec.js';
import { Kind, type Struct, type TypeId, type Union } from '../types.js';
import { type Declared, LayoutDeclarator, NO_NAME, type Scope } from './layout-declarator.js';
import { compositeOf, type FactFinder, factsOf } from './layout-facts.js';
import { PackedTypes } from './layout-packed.js';
import { CACHE_LINE, type MemberPlace, type Places, placesOf } from './layout-places.js';
import {
  cacheLineRemark,
  holeRemarks,
  type InnerRoom,
  innerRemark,
  roomSums,
  sumRemarks,
} from './layout-remarks.js';
import type { Layout } from './layout.js';
import { StringBytes } from './string-bytes.js';
import { TextOutput } from './text-output.js';
import { type TypeWords, typeWordsOf } from './type-words.js';
import { WorkLimit } from './work-limit.js';

/** The longest text. The largest struct of a kernel takes less than a megabyte. */
const MAX_BYTES = 16 * 1024 * 1024;

/** The number of steps that a text may take. The largest struct of a kernel takes some ten thousand. */
const STEPS_OF_LAYOUT = 1 << 20;

/** Columns of the type, at the first level. Each further level has eight fewer. */
const TYPE_COLUMNS = 26;

/** Columns of the name. */
const STRUCT_NAME_COLUMNS = 23;
const UNION_NAME_COLUMNS = 21;

/** pahole indents no further. */
const MAX_TABS = 16;

const PACKED = '__attribute__((__packed__))';

/**
 * formatLayout returns a layout as pahole 1.32 prints it: C with offsets, holes, cache lines and sums in comments, and
 * with the attributes that the offsets need. Where the type that pahole prints is wrong, it is that of the BTF.
 *
 * @throws BtfFormatError `LIMIT_EXCEEDED` for more than 16 MiB of text, more than 512 levels of types, and types that
 * refer to each other too often.
 * @throws BtfReadError as `layoutOf` does.
 */
export function formatLayout({
  spec,
  typeId,
  pointerSize,
}: Pick<Layout, 'spec' | 'typeId' | 'pointerSize'>): string {
  return new LayoutPrinter(spec, pointerSize).print(typeId);
}

class LayoutPrinter {
  readonly #spec: Spec;
  readonly #pointerSize: PointerSize;
  readonly #types: TypeWords;
  readonly #out: TextOutput;
  readonly #work = new WorkLimit(STEPS_OF_LAYOUT, 0);
  readonly #declarator: LayoutDeclarator;
  readonly #packed: PackedTypes;
  readonly #facts: FactFinder;
  readonly #rooms = new Map<TypeId, InnerRoom>();
  /** The cache line of the text so far. */
  #line = 0;

  constructor(spec: Spec, pointerSize: PointerSize) {
    this.#spec = spec;
    this.#pointerSize = pointerSize;
    this.#types = typeWordsOf(spec);
    this.#out = new TextOutput(new StringBytes(spec), MAX_BYTES);
    this.#declarator = new LayoutDeclarator(spec, this.#out, this.#work, (inner, scope, declared) => {
      this.#writeBody(inner, scope, declared, false);
    });
    this.#packed = new PackedTypes(spec, pointerSize);
    this.#facts = factsOf(spec, pointerSize);
  }

  print(id: TypeId): string {
    const alias = this.#types.name(id) === 0 ? this.#facts.typedefOf(id) : 0;
    const isUnion = this.#types.kind(id) === Kind.UNION;
    const scope: Scope = {
      level: 0,
      typeColumns: TYPE_COLUMNS,
      nameColumns: isUnion ? UNION_NAME_COLUMNS : STRUCT_NAME_COLUMNS,
      start: 0,
      isRelative: false,
      isInUnion: false,
      isFirst: false,
      isLast: false,
    };
    if (alias !== 0) this.#out.write('typedef ');
    this.#writeBody(id, scope, { star: '', name: alias === 0 ? 0 : this.#types.name(alias) }, true);
    this.#out.write(';\n');
    return this.#out.take();
  }

  /** Writes a struct or union with its members. */
  #writeBody(id: TypeId, scope: Scope, declared: Declared, hasSums: boolean): void {
    this.#work.enter(id);
    const type = compositeOf(this.#spec, id);
    const places = placesOf(this.#spec, this.#pointerSize, type);
    this.#packed.visit(type, places);
    this.#writeHead(type);
    if (type.kind === 'STRUCT') this.#writeStruct(type, places, scope, declared, hasSums);
    else this.#writeUnion(type, places, scope, declared);
    this.#work.leave();
  }

  #writeHead({ id, kind }: Struct | Union): void {
    const name = this.#types.name(id);
    this.#out.write(kind === 'STRUCT' ? 'struct' : 'union');
    if (name !== 0) this.#out.write(' ');
    this.#out.writeName(name);
    this.#out.write(' {\n');
  }

  #writeUnion(type: Union, places: Places, scope: Scope, declared: Declared): void {
    const inner = { ...scope, level: scope.level + 1, isInUnion: true };
    const line = this.#line;
    for (const [index, place] of places.members.entries()) {
      this.#writeMember(type, index, place, inner);
      this.#out.write('\n');
      this.#line = line;
    }
    this.#writeEnd(scope, false, declared);
  }

  #writeStruct(type: Struct, places: Places, scope: Scope, declared: Declared, hasSums: boolean): void {
    const level = scope.level + 1;
    const { members } = places;
    const rooms: InnerRoom[] = [];
    let last: MemberPlace | undefined;
    let lastSize = 0;
    for (const [index, place] of members.entries()) {
      this.#writeBetween(last, lastSize, place, { ...scope, level }, rooms);
      const isLast = index === members.length - 1;
      this.#writeMember(type, index, place, { ...scope, level, isFirst: index === 0, isLast });
      this.#out.write('\n');
      lastSize = sizeInPlace(last, lastSize, place);
      last = place;
    }
    this.#writeRemarks(this.#innerRemarks(last, rooms), level);
    if (hasSums) this.#writeRemarks(sumRemarks(type, roomSums(places), rooms), level);
    const isPacked = this.#packed.has(type.id);
    this.#writeEnd(scope, isPacked, declared);
    if (!isPacked) this.#writeAlignment(places.forcedAlignment);
  }

  /** Writes the remarks between two members, and the bitfields without a name that keep them apart. */
  #writeBetween(
    last: MemberPlace | undefined,
    lastSize: number,
    place: MemberPlace,
    scope: Scope,
    rooms: InnerRoom[],
  ): void {
    const out = this.#out;
    const { bits, bytes } = place.gap ?? { bits: 0, bytes: 0 };
    const remarks = [...this.#innerRemarks(last, rooms), ...holeRemarks(bits, bytes)];
    this.#writeRemarks(remarks, scope.level);
    let isApart = remarks.length > 0;
    if (last !== undefined && lastSize > 0) {
      if (bits > 0 && place.bitfieldSize > 0) {
        const isMoved = last.offset !== place.offset;
        if (isMoved) this.#writeRemarks(['/* Force alignment to the next boundary: */'], scope.level);
        this.#writeTabs(scope.level);
        this.#declarator.write(place.typeId, NO_NAME, scope);
        out.write(`:${isMoved ? 0 : bits};\n`);
      }
      const combined = combinedRemark(last, lastSize, place);
      if (combined !== null) {
        if (!isApart) out.write('\n');
        this.#writeLine(combined, scope.level);
        isApart = true;
      }
    }
    if (isApart) out.write('\n');
  }

  /** Returns the remark on a member whose type is a struct, and adds the room in the struct to those of all members. */
  #innerRemarks(place: MemberPlace | undefined, rooms: InnerRoom[]): string[] {
    // As in pahole, a typedef of a struct does not count.
    if (place === undefined || this.#types.kind(place.typeId) !== Kind.STRUCT) return [];
    const room = this.#roomOf(place.typeId);
    rooms.push(room);
    const remark = innerRemark(room);
    return remark === null ? [] : [remark];
  }

  #writeMember(type: Struct | Union, index: number, place: MemberPlace, scope: Scope): void {
    const out = this.#out;
    const { typeId, bitOffset, bitfieldSize, size, forcedAlignment } = place;
    const offset = place.offset + (scope.isRelative ? 0 : scope.start);
    this.#writeTabs(scope.level);
    this.#writeCacheLine(offset, scope.level);
    const start = out.length;
    // The members of a union start where it starts.
    const inner = type.kind === 'UNION' || scope.isRelative ? scope : { ...scope, start: offset };
    const unqualifiedId = this.#declarator.unqualified(typeId);
    const isAnonymous = this.#declarator.isAnonymous(unqualifiedId);
    const nameLength = this.#declarator.writeMember(type.id, index, inner);
    if (bitfieldSize > 0) out.write(`:${bitfieldSize}`);
    const attributeLength = this.#writeAlignment(forcedAlignment);
    out.write(';');
    const columns = scope.typeColumns + scope.nameColumns;
    const packed = this.#packed.has(unqualifiedId) ? PACKED.length + 1 : 0;
    const spaces = isAnonymous
      ? Math.abs(columns - attributeLength - packed - (nameLength > 0 ? nameLength : -1) - 3)
      : columns - (out.length - start);
    out.write(' '.repeat(Math.max(1, spaces)));
    // A bitfield has its bit where other members have nothing.
    const bit = bitfieldSize > 0 ? `:${String(bitOffset).padStart(2)}` : '';
    const sizeColumns = bitfieldSize > 0 ? 2 : 5;
    out.write(`/* ${String(offset).padStart(5)}${bit} ${String(size).padStart(sizeColumns)} */`);
  }

  #writeAlignment(alignment: number): number {
    if (alignment === 0) return 0;
    const text = ` __attribute__((__aligned__(${alignment})))`;
    this.#out.write(text);
    return text.length;
  }

  /** Writes the end of a struct or union, with the name that it declares. */
  #writeEnd({ level }: Scope, isPacked: boolean, { star, name }: Declared): void {
    this.#writeTabs(level);
    this.#out.write(isPacked ? `} ${PACKED}` : '}');
    if (star === '' && name === 0) return;
    this.#out.write(` ${star}`);
    this.#out.writeName(name);
  }

  /** Writes a remark if a member is the first in a cache line. */
  #writeCacheLine(offset: number, level: number): void {
    const line = Math.floor(offset / CACHE_LINE);
    if (line <= this.#line) return;
    this.#out.write(`${cacheLineRemark(line, offset)}\n`);
    this.#writeTabs(level);
    this.#line = line;
  }

  /** Writes remarks, if there are some, after an empty line. */
  #writeRemarks(remarks: readonly string[], level: number): void {
    if (remarks.length > 0) this.#out.write('\n');
    for (const remark of remarks) this.#writeLine(remark, level);
  }

  #writeLine(text: string, level: number): void {
    this.#writeTabs(level);
    this.#out.write(`${text}\n`);
  }

  #writeTabs(level: number): void {
    this.#out.write('\t'.repeat(Math.min(level, MAX_TABS)));
  }

  #roomOf(id: TypeId): InnerRoom {
    let room = this.#rooms.get(id);
    if (room === undefined) {
      const type = compositeOf(this.#spec, id);
      const places = placesOf(this.#spec, this.#pointerSize, type);
      this.#packed.visit(type, places);
      room = { ...roomSums(places), ...this.#facts.of(id) };
      this.#rooms.set(id, room);
    }
    return room;
  }
}

/** Returns the size of the members that share the place of the last one. */
function sizeInPlace(last: MemberPlace | undefined, lastSize: number, place: MemberPlace): number {
  const isNew = last === undefined || lastSize === 0 || last.offset !== place.offset;
  const startsBitfields = last?.bitfieldSize === 0 && place.bitfieldSize > 0;
  return isNew || startsBitfields ? place.size : lastSize;
}

/** Returns the remark on a bitfield whose unit overlaps other members; null if none does. */
function combinedRemark(last: MemberPlace, lastSize: number, place: MemberPlace): string | null {
  const distance = place.offset - last.offset;
  const startsBitfields = last.bitfieldSize === 0 && place.bitfieldSize > 0;
  if (distance < 0 || (distance === 0 && startsBitfields)) {
    return '/* Bitfield combined with previous fields */';
  }
  return distance > 0 && distance < lastSize ? '/* Bitfield combined with next fields */' : null;
}
