import type { PointerSize } from '../query/pointer-size.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import type { CContext } from './c-context.js';
import { CDefinitions } from './c-definitions.js';
import { CEmitter } from './c-emitter.js';
import { CNames } from './c-names.js';
import { COrder } from './c-order.js';
import { CSizes } from './c-sizes.js';
import { StringBytes } from './string-bytes.js';
import { TextOutput } from './text-output.js';
import { typeWordsOf } from './type-words.js';
import { STEPS_OF_ALL, WorkLimit } from './work-limit.js';

/** CPrinter has the state of one run of `printC`: the defined types, their names, and the text. */
export class CPrinter {
  readonly out: TextOutput;
  readonly #spec: Spec;
  readonly #context: CContext;
  readonly #order: COrder;
  readonly #emitter: CEmitter;

  constructor(spec: Spec, pointerSize: PointerSize, maxBytes: number) {
    const types = typeWordsOf(spec);
    const strings = new StringBytes(spec);
    const work = new WorkLimit(STEPS_OF_ALL, types.endTypeId);
    this.out = new TextOutput(strings, maxBytes);
    this.#spec = spec;
    this.#context = { types, strings, names: new CNames(types, strings, work), out: this.out, work };
    this.#order = new COrder(types, work);
    const sizes = new CSizes(types, work, pointerSize);
    this.#emitter = new CEmitter(this.#context, new CDefinitions(this.#context, sizes));
  }

  /**
   * defineFrom defines the types from one id to before another, and the types that they need, until enough bytes are
   * buffered.
   */
  defineFrom(first: TypeId, end: TypeId, bytes: number): TypeId {
    let id = first;
    for (; id < end && this.out.length < bytes; id++) this.define(id);
    return id;
  }

  /** define defines a type, and the types that it needs that are not defined yet. */
  define(root: TypeId): void {
    for (const id of this.#order.definitionsFor(root)) this.#emitter.emit(id);
  }

  /** tagOf returns the C name of a struct, union or enum that was printed. */
  tagOf(id: TypeId): string {
    const number = this.#context.names.ofTag(id);
    return number === 1 ? this.#spec.nameOf(id) : `${this.#spec.nameOf(id)}___${number}`;
  }
}
