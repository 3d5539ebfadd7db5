import { type BtfHeader, parseHeader } from '../header.js';
import { type Spec, typesOf } from '../spec.js';
import type { TypeId, VarSecinfo } from '../types.js';

/** The places of header fields: the lengths of the type and string sections, and the offsets of all three sections. */
const TYPES_LENGTH = 12;
const STRINGS_OFFSET = 16;
const STRINGS_LENGTH = 20;
const LAYOUT_OFFSET = 24;

/**
 * BtfEditor changes words of types in a copy of BTF, and appends types and names. Everything else stays in its place,
 * so type ids and names keep their meaning for the rest of an object file, such as `.BTF.ext`.
 */
export class BtfEditor {
  readonly #header: BtfHeader;
  /** The offset of each type in the type section, and the id of the type after the last. */
  readonly #offsets: Uint32Array;
  readonly #endTypeId: TypeId;
  readonly #littleEndian: boolean;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #types: number[] = [];
  readonly #names: number[] = [];
  #added = 0;

  /** @param spec the types to change. It has no base. */
  constructor(spec: Spec) {
    this.#header = parseHeader(spec.bytes);
    this.#offsets = typesOf(spec).offsets;
    this.#endTypeId = spec.endTypeId;
    this.#littleEndian = spec.byteOrder === 'little';
    // Not with `slice`: for the arrays that Node reads files into, it returns a view.
    this.#bytes = new Uint8Array(spec.bytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** setWord replaces a word of a type, counted from the start of the type. */
  setWord(id: TypeId, index: number, value: number): void {
    const start = this.#header.types.offset + (this.#offsets[id - 1] ?? 0);
    this.#view.setUint32(start + index * 4, value, this.#littleEndian);
  }

  /** setSection replaces the size and the variables of a DATASEC by as many others. */
  setSection(id: TypeId, size: number, vars: readonly VarSecinfo[]): void {
    this.setWord(id, 2, size);
    for (const [i, info] of vars.entries()) {
      this.setWord(id, 3 + i * 3, info.typeId);
      this.setWord(id, 4 + i * 3, info.offset);
      this.setWord(id, 5 + i * 3, info.size);
    }
  }

  /** addType appends a type. @returns its id. */
  addType(words: readonly number[]): TypeId {
    this.#types.push(...words);
    this.#added += 1;
    return this.#endTypeId + this.#added - 1;
  }

  /** addName appends a name of ASCII characters to the string section. @returns its offset in the section. */
  addName(name: string): number {
    const offset = this.#header.strings.length + this.#names.length;
    this.#names.push(...new TextEncoder().encode(name), 0);
    return offset;
  }

  /** bytes returns the edited BTF. The strings come last in it if anything was appended. */
  bytes(): Uint8Array {
    if (this.#types.length === 0 && this.#names.length === 0) return this.#bytes;
    const { length, types, layout, strings } = this.#header;
    const part = (at: number, count: number) => this.#bytes.subarray(at, at + count);
    const added = new Uint8Array(this.#types.length * 4);
    const addedView = new DataView(added.buffer);
    for (const [i, word] of this.#types.entries()) addedView.setUint32(i * 4, word, this.#littleEndian);
    const typesEnd = length + types.length + added.length;
    const stringsStart = typesEnd + layout.length;
    const result = new Uint8Array(stringsStart + strings.length + this.#names.length);
    result.set(part(0, length), 0);
    result.set(part(types.offset, types.length), length);
    result.set(added, length + types.length);
    result.set(part(layout.offset, layout.length), typesEnd);
    result.set(part(strings.offset, strings.length), stringsStart);
    result.set(this.#names, stringsStart + strings.length);
    const header = new DataView(result.buffer);
    const field = (at: number, value: number) => header.setUint32(at, value, this.#littleEndian);
    field(TYPES_LENGTH - 4, 0);
    field(TYPES_LENGTH, typesEnd - length);
    field(STRINGS_OFFSET, stringsStart - length);
    field(STRINGS_LENGTH, strings.length + this.#names.length);
    if (layout.length > 0) field(LAYOUT_OFFSET, typesEnd - length);
    return result;
  }
}
