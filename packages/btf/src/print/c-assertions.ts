import { isComposite } from '../kind-words.js';
import type { TypeId } from '../types.js';
import { type CContext, writeNumbered } from './c-context.js';
import type { CDeclarator } from './c-declarator.js';

/**
 * CAssertions writes `_Static_assert`s after definitions, of the size of a struct, union or enum and of the offsets of its
 * members, so that a compiler with another ABI refuses the header.
 */
export class CAssertions {
  readonly #context: CContext;
  readonly #declarator: CDeclarator;

  constructor(context: CContext, declarator: CDeclarator) {
    this.#context = context;
    this.#declarator = declarator;
  }

  /** write asserts the layout of a STRUCT, UNION, ENUM or ENUM64 with a name, as the BTF states it. */
  write(id: TypeId): void {
    const { types, out, compiler } = this.#context;
    if (types.name(id) === 0) return;
    const composite = isComposite(types.kind(id));
    if (!composite && compiler.layouts.enumAttribute(id) === null) return;
    out.write('_Static_assert(sizeof(');
    this.#declarator.refer(id);
    out.write(') == ');
    out.writeNumber(types.third(id));
    out.write(', "size");\n');
    if (composite) this.#writeOffsets(id, id, 0);
    out.write('\n');
  }

  /** @param from the offset of a part without a name in its struct, in bits. */
  #writeOffsets(root: TypeId, id: TypeId, from: number): void {
    const { types, out, compiler, work } = this.#context;
    work.enter(id);
    for (const { name, offset, width, bareId, form } of compiler.layouts.membersOf(id)) {
      work.step(id);
      const at = from + offset;
      if (name === 0 && isComposite(types.kind(bareId))) {
        this.#writeOffsets(root, bareId, at);
      } else if (name !== 0 && width === 0 && form !== 'omitted') {
        out.write('_Static_assert(__builtin_offsetof(');
        this.#declarator.refer(root);
        out.write(', ');
        writeNumbered(this.#context, name, 1);
        out.write(') == ');
        out.writeNumber(at / 8);
        out.write(', "offset");\n');
      }
    }
    work.leave();
  }
}
