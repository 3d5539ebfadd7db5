import { Kind, type TypeId } from '../types.js';
import type { CAssertions } from './c-assertions.js';
import { type CContext, writeNumbered } from './c-context.js';
import type { CDefinitions } from './c-definitions.js';
import { TypeMarks } from './type-marks.js';
import { MEMBER_WORDS, PARAM_WORDS } from './type-words.js';

const EMITTING = 1;
const EMITTED = 2;

const GNUC_VA_LIST = '__gnuc_va_list';

/**
 * CEmitter writes definitions, each after the forward declarations that it needs. Modelled on libbpf's
 * `btf_dump_emit_type`.
 */
export class CEmitter {
  readonly #context: CContext;
  readonly #definitions: CDefinitions;
  readonly #assertions: CAssertions | null;
  readonly #states: TypeMarks;
  /** Structs and unions with a forward declaration. */
  readonly #declared: TypeMarks;

  /** @param assertions writes assertions after each definition; null for none. */
  constructor(context: CContext, definitions: CDefinitions, assertions: CAssertions | null) {
    const { endTypeId } = context.types;
    this.#context = context;
    this.#definitions = definitions;
    this.#assertions = assertions;
    this.#states = new TypeMarks(endTypeId);
    this.#states.set(0, EMITTED);
    this.#declared = new TypeMarks(endTypeId);
  }

  /** emit writes a definition from the list of `COrder`. */
  emit(id: TypeId): void {
    this.#visit(id, 0);
  }

  /** declareParts writes the forward declarations that a declaration of a function or variable needs. */
  declareParts(id: TypeId, typeId: TypeId): void {
    this.#visit(typeId, id);
  }

  /** @param container the named type whose definition follows; 0 if it is this type. */
  #visit(id: TypeId, container: TypeId): void {
    const state = this.#states.get(id);
    if (state === EMITTED) return;
    this.#context.work.enter(id);
    if (state === EMITTING) this.#meetAgain(id, container);
    else this.#visitKind(id, container);
    this.#context.work.leave();
  }

  #meetAgain(id: TypeId, container: TypeId): void {
    if (this.#declared.get(id) === 1) return;
    // A pointer to the type that is being defined needs no declaration; a pointer in a typedef before it does.
    if (id !== container) this.#writeForward(id);
  }

  #visitKind(id: TypeId, container: TypeId): void {
    const { types } = this.#context;
    const kind = types.kind(id);
    switch (kind) {
      case Kind.PTR:
      case Kind.VOLATILE:
      case Kind.CONST:
      case Kind.RESTRICT:
      case Kind.TYPE_TAG:
        this.#visit(types.third(id), container);
        break;
      case Kind.ARRAY:
        this.#visit(types.elementType(id), container);
        break;
      case Kind.FUNC_PROTO:
        this.#visit(types.third(id), container);
        this.#visitElements(id, PARAM_WORDS, container);
        break;
      case Kind.STRUCT:
      case Kind.UNION:
        this.#visitComposite(id, container);
        break;
      case Kind.TYPEDEF:
        this.#visit(types.third(id), id);
        this.#writeTypedef(id);
        this.#states.set(id, EMITTED);
        break;
      case Kind.INT:
      case Kind.FLOAT:
        this.#writeMissingBaseType(id);
        this.#states.set(id, EMITTED);
        break;
      case Kind.ENUM:
      case Kind.ENUM64:
        if (container === 0) this.#writeDefinition(id);
        this.#states.set(id, EMITTED);
        break;
      case Kind.FWD:
        this.#writeReference(id);
        this.#states.set(id, EMITTED);
        break;
      default:
        // Other kinds are not printed.
        break;
    }
  }

  #visitComposite(id: TypeId, container: TypeId): void {
    const named = this.#context.types.name(id) !== 0;
    this.#states.set(id, EMITTING);
    if (container === 0 || !named) this.#visitElements(id, MEMBER_WORDS, named ? id : container);
    else if (this.#declared.get(id) === 0 && id !== container) this.#writeForward(id);
    if (container === 0) this.#writeDefinition(id);
    this.#states.set(id, container === 0 ? EMITTED : 0);
  }

  #visitElements(id: TypeId, words: number, container: TypeId): void {
    const { types, work } = this.#context;
    const first = types.elements(id);
    const end = first + types.vlen(id) * words;
    for (let at = first; at < end; at += words) {
      // Types that are already printed count too: an anonymous composite is walked again for each reference.
      work.step(id);
      this.#visit(types.unsignedAt(at + 1), container);
    }
  }

  #writeDefinition(id: TypeId): void {
    this.#definitions.define(id, 0);
    this.#context.out.write(';\n\n');
    this.#assertions?.write(id);
  }

  #writeForward(id: TypeId): void {
    this.#writeReference(id);
    this.#declared.set(id, 1);
  }

  #writeReference(id: TypeId): void {
    this.#definitions.declarator.refer(id);
    this.#context.out.write(';\n\n');
  }

  #writeTypedef(id: TypeId): void {
    const { types, strings, names, out, compiler } = this.#context;
    const name = types.name(id);
    if (compiler.baseTypes.isVaList(id)) return;
    const number = names.ofTypedef(id);
    const typeId = types.third(id);
    out.write('typedef ');
    // Old GCC describes __gnuc_va_list as a typedef of void.
    if (typeId === 0 && number === 1 && strings.equals(name, GNUC_VA_LIST)) {
      out.write(`__builtin_va_list ${GNUC_VA_LIST}`);
    } else {
      this.#definitions.declarator.declare(typeId, name, number, 0);
    }
    out.write(';\n\n');
  }

  #writeMissingBaseType(id: TypeId): void {
    const { types, compiler, names, out } = this.#context;
    const { isKnown, standIn } = compiler.baseTypes.of(id);
    const name = types.name(id);
    if (isKnown || name === 0) return;
    out.write(`typedef ${standIn} `);
    writeNumbered(this.#context, name, names.ofTypedef(id));
    out.write(';\n\n');
  }
}
