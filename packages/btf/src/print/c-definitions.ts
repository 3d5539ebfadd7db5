import { Kind, type TypeId } from '../types.js';
import { type CContext, lineStart } from './c-context.js';
import { CDeclarator } from './c-declarator.js';
import { writeEnum } from './c-enum.js';
import type { CForm } from './c-layouts.js';
import type { CMember } from './c-members.js';
import type { CPadding } from './c-padding.js';
import type { PadSink } from './c-record.js';

/** CDefinitions writes the bodies of structs, unions and enums, and declarations with the bodies of anonymous types. */
export class CDefinitions {
  readonly declarator: CDeclarator;
  readonly #context: CContext;
  readonly #padding: CPadding;
  #bytesCount = 0;

  constructor(context: CContext, padding: CPadding) {
    this.#context = context;
    this.#padding = padding;
    this.declarator = new CDeclarator(context, (id, level) => this.define(id, level));
  }

  /** The number of structs, unions and members that were written as bytes. */
  get bytesCount(): number {
    return this.#bytesCount;
  }

  /** define writes a STRUCT, UNION, ENUM or ENUM64 with its body, without the semicolon. */
  define(id: TypeId, level: number): void {
    const { types, work } = this.#context;
    work.enter(id);
    const kind = types.kind(id);
    if (kind === Kind.STRUCT || kind === Kind.UNION) {
      this.declarator.refer(id);
      this.#writeBody(id, level, types.name(id) !== 0);
    } else {
      writeEnum(this.#context, id, level);
    }
    work.leave();
  }

  #writeBody(id: TypeId, level: number, tagged: boolean): void {
    const { types, out, compiler } = this.#context;
    const form = compiler.layouts.of(id);
    const size = types.third(id);
    const indent = lineStart(level + 1);
    out.write(' {');
    const sink: PadSink = {
      pad: (type, _typeBits, width, count) => this.#writePad(indent, type, width, count),
    };
    if (form.style === 'bytes') {
      this.#bytesCount += 1;
      out.write(indent);
      out.write('/* C cannot place these members */');
      out.write(indent);
      // The members of an anonymous struct share the names of those around it.
      out.write(`unsigned char bytes${tagged ? '' : `_${this.#bytesCount}`}[${size}];`);
    } else {
      compiler.layouts.walk(id, form, {
        ...sink,
        member: (member) => {
          this.#writeMember(member, level + 1);
          return true;
        },
      });
      if (types.kind(id) === Kind.UNION && form.style === 'exact') this.#padUnion(id, size, indent);
    }
    // An empty struct stays on one line.
    if (types.vlen(id) > 0 || size > 0) out.write(lineStart(level));
    out.write('}');
    this.#writeAttributes(form);
  }

  #writeMember({ name, typeId, bareId, width, size, form }: CMember, level: number): void {
    const { types, out, work } = this.#context;
    out.write(lineStart(level));
    if (form === 'inline') {
      work.enter(bareId);
      out.write(types.kind(bareId) === Kind.UNION ? 'union' : 'struct');
      this.#writeBody(bareId, level, false);
      work.leave();
    } else if (form === 'bytes') {
      this.#bytesCount += 1;
      out.write('unsigned char ');
      out.writeIdentifier(name);
      out.write(`[${size / 8}]`);
    } else {
      this.declarator.declare(typeId, name, 1, level);
    }
    if (width > 0) {
      out.write(': ');
      out.writeNumber(width);
    }
    out.write(';');
  }

  /** Gives a union that is larger than its members its size. A struct without named members adds nothing to its type. */
  #padUnion(id: TypeId, size: number, indent: string): void {
    const { out, compiler } = this.#context;
    const members = compiler.layouts.membersOf(id);
    const largest = members.reduce((most, member) => Math.max(most, member.width || member.size), 0);
    if (Math.ceil(largest / 8) >= size) return;
    out.write(indent);
    out.write('struct {');
    const inner: PadSink = {
      pad: (type, _typeBits, width, count) => this.#writePad(`${indent}\t`, type, width, count),
    };
    this.#padding.fillExactly(size * 8, inner);
    out.write(indent);
    out.write('} __attribute__((packed));');
  }

  #writePad(indent: string, type: string, width: number, count: number): void {
    for (let i = 0; i < count; i++) this.#context.out.write(`${indent}${type}: ${width};`);
  }

  #writeAttributes({ packed, aligned }: CForm): void {
    const attributes = packed ? ['packed'] : [];
    if (aligned > 1) attributes.push(`aligned(${aligned})`);
    if (attributes.length > 0) this.#context.out.write(` __attribute__((${attributes.join(', ')}))`);
  }
}
