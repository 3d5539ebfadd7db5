import { Builder } from '../build/builder.js';
import { BtfReadError } from '../format-error.js';
import { noTypeWithId } from '../lookup-error.js';
import { pointerSize as inferPointerSize } from '../query/pointer-size.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { CPrinter, type CSource, sourceOf } from './c-printer.js';
import { GrowingTypes } from './growing-types.js';
import { DEFAULT_MAX_BYTES, type PrintCOptions } from './print-c.js';

/** CDumpOptions are the options of {@link CDump}: those of `printC` that are not about a whole header. */
export type CDumpOptions = Pick<PrintCOptions, 'maxBytes' | 'assertions' | 'pointerSize'>;

/**
 * CDump returns types as C one by one, each with the definitions that it needs and that were not returned before. Modelled
 * on libbpf's `btf_dump__dump_type`.
 *
 * ```ts
 * const dump = new CDump(builder);
 * const id = builder.addFrom(vmlinux, task.id);
 * const text = dump.dumpType(id);
 * const more = dump.dumpType(builder.add({ kind: 'TYPEDEF', name: 'my_task', typeId: id }));
 * ```
 *
 * With a builder, types may be added between the calls. The cost of a call does not depend on the number of types that the
 * builder had before. Types of one name get the numbers of `printC` (`name___2`) in the order in which they are returned.
 * The definitions are those of `printC`, without its preamble.
 */
export class CDump {
  readonly #printer: CPrinter;
  readonly #source: CSource;
  readonly #growing: GrowingTypes | null;
  #failure: BtfReadError | null = null;

  /**
   * @param options `maxBytes` is for the text of all calls, and so is the limit of steps. The default of `pointerSize` is
   * that of the spec or of the builder's base, otherwise 8.
   * @throws BtfFormatError `LIMIT_EXCEEDED` if the builder's base has as many bases as `Spec.parse` allows.
   */
  constructor(types: Spec | Builder, options: CDumpOptions = {}) {
    let spec: Spec | null;
    if (types instanceof Builder) {
      this.#growing = new GrowingTypes(types);
      this.#source = this.#growing;
      spec = types.base;
    } else {
      this.#growing = null;
      this.#source = sourceOf(types);
      spec = types;
    }
    const { maxBytes = DEFAULT_MAX_BYTES, assertions = false } = options;
    const pointerSize = options.pointerSize ?? (spec === null ? 8 : inferPointerSize(spec));
    this.#printer = new CPrinter(this.#source, { pointerSize, maxBytes, assertions });
  }

  /**
   * dumpType returns the definition of a type, after those of the types that it needs. It leaves out what an earlier call
   * returned, so the second call for a type returns an empty text. A FUNC or VAR is declared. The result is also empty for
   * types that C does not define: pointers, base types of C, sections, declaration tags and void.
   *
   * @throws BtfLookupError `NOT_FOUND` if there is no such id.
   * @throws BtfBuildError `INVALID_TYPE` if the builder has an id that was reserved but not defined, or a reference to a
   * type that does not exist. The next call may succeed.
   * @throws BtfFormatError `LIMIT_EXCEEDED` if the texts of all calls exceed `maxBytes`, or types nest too deep or refer to
   * each other too often. After this and the next error, each call throws it again.
   * @throws BtfFormatError `MALFORMED` if types contain themselves, if a declaration cannot have its type, and for a name
   * outside the string section.
   */
  dumpType(id: TypeId): string {
    if (this.#failure !== null) throw this.#failure;
    this.#printer.addTypes(this.#growing?.update() ?? 0);
    const { endTypeId } = this.#source.types;
    if (!Number.isInteger(id) || id < 0 || id >= endTypeId) {
      throw noTypeWithId(id, endTypeId);
    }
    try {
      this.#printer.declareAny(id);
      this.#printer.define(id);
      return this.#printer.out.take();
    } catch (error) {
      // Some types are marked as defined, but their text is lost.
      if (error instanceof BtfReadError) this.#failure = error;
      throw error;
    }
  }

  /** The number of structs, unions and members that were written as bytes, because C cannot state them. */
  get bytesCount(): number {
    return this.#printer.bytesCount;
  }
}
