import { noTypeWithId } from '../lookup-error.js';
import { HEAD_WORDS, kindWords } from '../kind-words.js';
import { type Spec, typesOf } from '../spec.js';
import type { TypeId } from '../types.js';
import { kindFlagOfInfo, kindOfInfo, vlenOfInfo } from '../words.js';
import type { TypeSource } from './type-source.js';

const WORD_BYTES = 4;

/**
 * TypeReader reads one type after the other as words. Decoding makes an object for each type and each of its elements; a
 * program that copies many types into another format, or only follows their ids, is several times as fast without them.
 * `linux/btf.h` says what the words of each kind are.
 *
 * Words are numbers of the host, whatever the byte order of the BTF. They count from the start of the type: 0 is the name,
 * 1 the kind with `vlen`, 2 the size or a type id. A word after the end of the type belongs to another type, or is 0.
 */
export class TypeReader {
  readonly #spec: Spec;
  /** The spec in the chain of bases that has the type, its types and where they start. */
  #owner: Spec;
  #source: TypeSource;
  #offsets: Uint32Array;
  #id = 0;
  #at = 0;
  #info = 0;
  readonly #name = { bytes: new Uint8Array(), from: 0, to: 0 };

  /** @param spec the spec whose types are read, with those of its base. */
  constructor(spec: Spec) {
    const { source, offsets } = typesOf(spec);
    this.#spec = spec;
    this.#owner = spec;
    this.#source = source;
    this.#offsets = offsets;
  }

  /**
   * open goes to a type. It must be called before the type is read.
   *
   * @throws BtfLookupError `NOT_FOUND` if there is no such id, and for void, which has no words.
   */
  open(id: TypeId): void {
    if (!Number.isInteger(id) || id <= 0 || id >= this.#spec.endTypeId) {
      throw noTypeWithId(id, this.#spec.endTypeId);
    }
    if (id < this.#owner.firstTypeId || id >= this.#owner.endTypeId) this.#changeOwner(id);
    this.#id = id;
    this.#at = this.#offsets[id - this.#owner.firstTypeId] ?? 0;
    this.#info = this.#source.words.i32(this.#at + WORD_BYTES);
    this.#source.startElements();
  }

  /** The number of the type's kind. See `Kind`. */
  get kind(): number {
    return kindOfInfo(this.#info);
  }

  get kindFlag(): boolean {
    return kindFlagOfInfo(this.#info);
  }

  /** The number of elements. A FUNC has its linkage there. */
  get vlen(): number {
    return vlenOfInfo(this.#info);
  }

  /** u32 returns a word as an unsigned number. */
  u32(word: number): number {
    return this.#source.words.u32(this.#at + WORD_BYTES * word);
  }

  /** i32 returns a word as a signed number. */
  i32(word: number): number {
    return this.#source.words.i32(this.#at + WORD_BYTES * word);
  }

  /** data returns the bytes of the type after its first three words, in the byte order of the BTF. */
  data(): Uint8Array {
    const { bytes } = this.#source;
    const end = this.#offsets[this.#id - this.#owner.firstTypeId + 1] ?? bytes.length;
    return bytes.subarray(this.#at + WORD_BYTES * HEAD_WORDS, end);
  }

  /**
   * findName finds the name whose offset is a word: of the type, or of one of its elements. It returns the length of the
   * name in bytes of UTF-8.
   *
   * @throws BtfFormatError `MALFORMED` if the name lies outside the string section.
   * @throws BtfFormatError `LIMIT_EXCEEDED` if the name is too long, or the names of the elements add up to too much.
   */
  findName(word: number): number {
    const name = this.#name;
    const at = this.#at + WORD_BYTES * word;
    if (word === 0) this.#source.findName(at, this.#id, name);
    else this.#source.findElementName(at, this.#id, name);
    return name.to - name.from;
  }

  /**
   * name returns the name whose offset is a word: of the type, or of one of its elements; empty if it has none.
   *
   * @throws BtfReadError as {@link findName} does.
   */
  name(word: number): string {
    const at = this.#at + WORD_BYTES * word;
    return word === 0 ? this.#source.name(at, this.#id) : this.#source.elementName(at, this.#id);
  }

  /** copyName copies the name that was found last to an index in `target`, as UTF-8. */
  copyName(target: Uint8Array, at: number): void {
    const { bytes, from, to } = this.#name;
    for (let index = from; index < to; index++) target[at + index - from] = bytes[index] ?? 0;
  }

  /** visitIds calls `visit` with each type id in the type, in order, with repetitions and void. */
  visitIds(visit: (id: TypeId) => void): void {
    const { thirdIsId, once, onceIds, each, eachId } = kindWords(this.#info);
    if (thirdIsId) visit(this.u32(2));
    for (let word = HEAD_WORDS; word < HEAD_WORDS + onceIds; word++) visit(this.u32(word));
    if (eachId < 0) return;
    const first = HEAD_WORDS + once;
    const end = first + each * this.vlen;
    for (let word = first + eachId; word < end; word += each) visit(this.u32(word));
  }

  #changeOwner(id: TypeId): void {
    let owner = this.#spec;
    while (owner.base !== null && id < owner.firstTypeId) owner = owner.base;
    const { source, offsets } = typesOf(owner);
    this.#owner = owner;
    this.#source = source;
    this.#offsets = offsets;
  }
}
