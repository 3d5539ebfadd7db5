import { Kind, type TypeId } from '../types.js';
import { type CContext, lineStart } from './c-context.js';
import { CDeclarator } from './c-declarator.js';
import { writeEnum } from './c-enum.js';
import { CPadding } from './c-padding.js';
import type { CSizes } from './c-sizes.js';
import { MEMBER_WORDS } from './type-words.js';

/** CDefinitions writes the bodies of structs, unions and enums, and declarations with the bodies of anonymous types. */
export class CDefinitions {
  readonly declarator: CDeclarator;
  readonly #context: CContext;
  readonly #sizes: CSizes;
  readonly #padding: CPadding;

  constructor(context: CContext, sizes: CSizes) {
    this.#context = context;
    this.#sizes = sizes;
    this.#padding = new CPadding(context.out, sizes.pointerSize);
    this.declarator = new CDeclarator(context, (id, level) => this.define(id, level));
  }

  /** define writes a STRUCT, UNION, ENUM or ENUM64 with its body, without the semicolon. */
  define(id: TypeId, level: number): void {
    const { types, work } = this.#context;
    work.enter(id);
    const kind = types.kind(id);
    if (kind === Kind.STRUCT || kind === Kind.UNION) this.#writeComposite(id, level);
    else writeEnum(this.#context, this.#sizes.pointerSize, id, level);
    work.leave();
  }

  #writeComposite(id: TypeId, level: number): void {
    const { types, out } = this.#context;
    const sizes = this.#sizes;
    const isStruct = types.kind(id) === Kind.STRUCT;
    const packed = isStruct && sizes.isPacked(id);
    const packsBitfields = types.kindFlag(id);
    const count = types.vlen(id);
    const size = types.third(id);
    const indent = lineStart(level + 1);
    this.declarator.refer(id);
    out.write(' {');
    let from = 0;
    let afterBitfield = false;
    const first = types.elements(id);
    for (let at = first; at < first + count * MEMBER_WORDS; at += MEMBER_WORDS) {
      const typeId = types.unsignedAt(at + 1);
      const word = types.unsignedAt(at + 2);
      const bitfieldSize = packsBitfields ? word >>> 24 : 0;
      const offset = packsBitfields ? word & 0xffffff : word;
      if (from < offset) {
        const alignment = packed ? 1 : sizes.alignof(typeId);
        const inBitfield = afterBitfield && bitfieldSize !== 0;
        this.#padding.pad({ from, to: offset, alignment, inBitfield }, indent);
      }
      out.write(indent);
      this.declarator.declare(typeId, types.unsignedAt(at), 1, level + 1);
      if (bitfieldSize === 0) {
        out.write(';');
        from = offset + sizes.sizeof(typeId) * 8;
      } else {
        out.write(': ');
        out.writeNumber(bitfieldSize);
        out.write(';');
        from = offset + bitfieldSize;
      }
      afterBitfield = bitfieldSize !== 0;
    }
    if (isStruct) {
      const gap = { from, to: size * 8, alignment: sizes.alignof(id), inBitfield: false };
      this.#padding.pad(gap, indent);
    }
    // An empty struct stays on one line.
    if (count > 0 || size > 0) out.write(lineStart(level));
    out.write('}');
    if (packed) out.write(' __attribute__((packed))');
    if (!isStruct) out.write(sizes.unionAttributes(id));
  }
}
