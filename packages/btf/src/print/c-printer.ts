import { isComposite } from '../kind-words.js';
import type { PointerSize } from '../query/pointer-size.js';
import type { Spec } from '../spec.js';
import { Kind, type TypeId } from '../types.js';
import { CAssertions } from './c-assertions.js';
import { CBaseTypes } from './c-base-types.js';
import { type CContext, writeNumbered } from './c-context.js';
import { CDefinitions } from './c-definitions.js';
import { CEmitter } from './c-emitter.js';
import { CFunctions } from './c-functions.js';
import { CLayouts } from './c-layouts.js';
import { CNames } from './c-names.js';
import { COrder } from './c-order.js';
import { CPadding } from './c-padding.js';
import { CSizes } from './c-sizes.js';
import { sortForC } from './c-sort.js';
import { StringBytes } from './string-bytes.js';
import { TextOutput } from './text-output.js';
import { type TypeWords, typeWordsOf } from './type-words.js';
import { STEPS_OF_ALL, WorkLimit } from './work-limit.js';

/** The longest name, in bytes. The kernel accepts 511. */
const MAX_IDENTIFIER = 1 << 16;

/** CPrinterOptions are the options of {@link CPrinter}. */
export interface CPrinterOptions {
  readonly pointerSize: PointerSize;
  readonly maxBytes: number;
  /** Whether to assert the layout of each type after its definition. */
  readonly assertions: boolean;
}

/** CSource is what a {@link CPrinter} prints. */
export interface CSource {
  readonly types: TypeWords;
  readonly strings: StringBytes;
}

/** sourceOf returns the types of a spec and of its bases to print. */
export function sourceOf(spec: Spec): CSource {
  return { types: typeWordsOf(spec), strings: new StringBytes(spec) };
}

/** CPrinter has the state of one run of `printC`: the defined types, their names, and the text. */
export class CPrinter {
  readonly out: TextOutput;
  readonly #context: CContext;
  readonly #order: COrder;
  readonly #definitions: CDefinitions;
  readonly #emitter: CEmitter;
  readonly #functions: CFunctions;
  readonly #declared = new Set<TypeId>();

  constructor({ types, strings }: CSource, { pointerSize, maxBytes, assertions }: CPrinterOptions) {
    const work = new WorkLimit(STEPS_OF_ALL, types.endTypeId);
    const padding = new CPadding(pointerSize);
    const baseTypes = new CBaseTypes({ types, strings }, pointerSize);
    const layouts = new CLayouts(new CSizes(types, work, pointerSize), padding, baseTypes);
    const names = new CNames(types, strings, work, (id) => layouts.enumAttribute(id) !== null);
    this.out = new TextOutput(strings, maxBytes);
    const compiler = { baseTypes, layouts };
    this.#context = { types, strings, names, out: this.out, work, compiler, qualified: true };
    this.#order = new COrder(types, work);
    this.#definitions = new CDefinitions(this.#context, padding);
    const { declarator } = this.#definitions;
    this.#emitter = new CEmitter(
      this.#context,
      this.#definitions,
      assertions ? new CAssertions(this.#context, declarator) : null,
    );
    this.#functions = new CFunctions(this.#context, declarator);
  }

  /** The number of structs, unions and members that were written as bytes, because C cannot state them. */
  get bytesCount(): number {
    return this.#definitions.bytesCount;
  }

  /** sorted returns all types that can be printed, in the order of bpftool. */
  sorted(): Uint32Array {
    const { types, strings, work } = this.#context;
    return sortForC(types, strings, work);
  }

  /** define defines a type, and the types that it needs that are not defined yet. */
  define(root: TypeId): void {
    for (const id of this.#order.definitionsFor(root)) this.#emitter.emit(id);
  }

  /** addTypes allows the work for types that were added to the source. */
  addTypes(count: number): void {
    this.#context.work.addTypes(count);
  }

  /**
   * declare declares a FUNC or VAR, after the types that it needs. It does nothing for other kinds and the second time.
   * It does not declare a kfunc, and returns its id instead of null.
   */
  declare(id: TypeId): TypeId | null {
    if (!this.#prepare(id)) return null;
    if (this.#context.types.kind(id) === Kind.FUNC && this.#functions.isKfunc(id)) return id;
    this.#functions.declare(id);
    return null;
  }

  /** declareAny is {@link declare} that declares a kfunc as any other function. */
  declareAny(id: TypeId): void {
    if (this.#prepare(id)) this.#functions.declare(id);
  }

  /** declareKfuncs declares kfuncs for programs that call them. Default: all. */
  declareKfuncs(ids: readonly TypeId[] = this.#functions.kfuncs()): void {
    this.#functions.declareKfuncs(ids);
  }

  /** identifierOf returns the C name of a struct, union or enum that was printed. */
  identifierOf(id: TypeId): string {
    const { types, strings, names } = this.#context;
    const out = new TextOutput(strings, MAX_IDENTIFIER);
    writeNumbered({ ...this.#context, out }, types.name(id), names.ofTag(id));
    return out.take();
  }

  /** defines reports whether C can define an enum. Other types can always be defined. */
  defines(id: TypeId): boolean {
    const kind = this.#context.types.kind(id);
    return (
      (kind !== Kind.ENUM && kind !== Kind.ENUM64) ||
      this.#context.compiler.layouts.enumAttribute(id) !== null
    );
  }

  /** isBytes reports whether a struct or union was written as bytes. */
  isBytes(id: TypeId): boolean {
    const { types, compiler } = this.#context;
    return isComposite(types.kind(id)) && compiler.layouts.of(id).style === 'bytes';
  }

  /** Defines what a FUNC or VAR needs. Returns whether to declare it: false for other kinds and the second time. */
  #prepare(id: TypeId): boolean {
    const { types } = this.#context;
    const kind = types.kind(id);
    if ((kind !== Kind.FUNC && kind !== Kind.VAR) || this.#declared.has(id)) return false;
    this.#declared.add(id);
    this.define(types.third(id));
    this.#emitter.declareParts(id, types.third(id));
    return true;
  }
}
