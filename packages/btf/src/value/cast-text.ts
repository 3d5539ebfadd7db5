import type { CNameContext, CNaming } from '../print/c-context.js';
import { CDeclarator } from '../print/c-declarator.js';
import { StringBytes } from '../print/string-bytes.js';
import { TextOutput } from '../print/text-output.js';
import { typeWordsOf } from '../print/type-words.js';
import { STEPS_OF_ALL, WorkLimit } from '../print/work-limit.js';
import type { Spec } from '../spec.js';
import { Kind, type TypeId } from '../types.js';

/** The longest text of all casts of a value together. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * CastText writes types as libbpf does before a value: without qualifiers, and `struct` or `enum ` for an
 * anonymous type.
 */
export class CastText {
  readonly #texts = new Map<TypeId, string>();
  readonly #declarator: CDeclarator;
  readonly #out: TextOutput;

  constructor(spec: Spec) {
    const types = typeWordsOf(spec);
    const strings = new StringBytes(spec);
    this.#out = new TextOutput(strings, MAX_BYTES);
    const context: CNameContext = {
      types,
      strings,
      names: new CastNames(spec),
      out: this.#out,
      work: new WorkLimit(STEPS_OF_ALL, 0),
      compiler: null,
      qualified: false,
    };
    this.#declarator = new CDeclarator(context, (anonymous) => {
      this.#declarator.refer(anonymous);
      const kind = types.kind(anonymous);
      if (kind === Kind.ENUM || kind === Kind.ENUM64) this.#out.write(' ');
    });
  }

  /**
   * of returns the text of a type, without parentheses.
   *
   * @throws BtfFormatError `MALFORMED` if a declaration cannot have the type, and for a name outside the string section.
   * @throws BtfFormatError `LIMIT_EXCEEDED` if types nest too deep, refer to each other too often, or are too long.
   */
  of(id: TypeId): string {
    let text = this.#texts.get(id);
    if (text === undefined) {
      this.#declarator.declare(id, 0, 1, 0);
      text = this.#out.take();
      this.#texts.set(id, text);
    }
    return text;
  }
}

/** CastNames numbers types of one name within a value, the second `name___2`, as libbpf does. */
class CastNames implements CNaming {
  readonly #spec: Spec;
  readonly #numbers = new Map<TypeId, number>();
  readonly #tags = new Map<string, number>();
  readonly #typedefs = new Map<string, number>();

  constructor(spec: Spec) {
    this.#spec = spec;
  }

  ofTag(id: TypeId): number {
    return this.#numbers.get(id) ?? this.#number(id, this.#isDeclaration(id) ? null : this.#tags);
  }

  ofTypedef(id: TypeId): number {
    return this.#numbers.get(id) ?? this.#number(id, this.#typedefs);
  }

  ofEnumerator(): number {
    throw new Error('a cast has no constants');
  }

  #number(id: TypeId, counts: Map<string, number> | null): number {
    const name = this.#spec.nameOf(id);
    const number = counts === null ? 1 : (counts.get(name) ?? 0) + 1;
    counts?.set(name, number);
    this.#numbers.set(id, number);
    return number;
  }

  /** Whether a type has no body, and so means another type of its name. */
  #isDeclaration(id: TypeId): boolean {
    const kind = this.#spec.kindOf(id);
    if (kind !== Kind.ENUM) return kind === Kind.FWD;
    const type = this.#spec.typeById(id);
    return type.kind === 'ENUM' && type.values.length === 0;
  }
}
