import type { Random } from 'test-tools/random';
import type { ByteOrder } from '../header.js';
import { Kind } from '../types.js';
import { BtfAssembler } from './assemble-btf.js';

/** Shape is a type before it has an id. Shapes that are the same object become one type. */
export type Shape =
  | { readonly is: 'void' }
  | { readonly is: 'int'; readonly size: number; readonly encoding: number }
  | { readonly is: 'float'; readonly size: number }
  | { readonly is: 'pointer' | 'const' | 'volatile'; readonly to: Shape }
  | { readonly is: 'typedef'; readonly name: string; readonly to: Shape }
  | { readonly is: 'array'; readonly of: Shape; readonly count: number }
  | { readonly is: 'fwd'; readonly name: string; readonly union: boolean }
  | { readonly is: 'struct' | 'union'; readonly name: string; readonly members: readonly ShapeMember[] }
  | {
      readonly is: 'enum';
      readonly name: string;
      readonly wide: boolean;
      readonly signed: boolean;
      readonly values: readonly (readonly [string, number])[];
    }
  | { readonly is: 'prototype'; readonly result: Shape; readonly parameters: readonly Shape[] };

/** ShapeMember is a member of a struct or union. */
export interface ShapeMember {
  readonly name: string;
  readonly type: Shape;
  /** Width of a bitfield; 0 for another member. */
  readonly bits: number;
}

const INT: Shape = { is: 'int', size: 4, encoding: 1 };

/** RandomShapes makes shapes, and others that are similar to them. */
export class RandomShapes {
  readonly #random: Random;
  #names = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Types with names, for which relocations may ask. */
  roots(): Shape[] {
    const roots: Shape[] = [];
    for (let i = 0; i < 5; i++) roots.push(this.#composite(`s${i}`, 3, roots));
    for (let i = 0; i < 2; i++) roots.push(this.#enum(`e${i}`));
    roots.push({ is: 'typedef', name: 't0', to: this.#any(2, roots) });
    roots.push({ is: 'typedef', name: 't1', to: { is: 'pointer', to: this.#prototype(roots) } });
    roots.push({ is: 'fwd', name: 'f0', union: this.#chance(2) });
    return roots;
  }

  /** The roots of a kernel: changed, and some of them several times or in flavours. */
  kernel(roots: readonly Shape[]): Shape[] {
    const changed = roots.flatMap((root) => {
      const copies = this.#pick([0, 1, 1, 1, 1, 2, 2]);
      return Array.from({ length: copies }, (_, i) =>
        this.changed(
          root,
          this.#pick([0, 12, 30]),
          i === 0 ? '' : this.#pick(['', '', '___old', '___a___b']),
        ),
      );
    });
    return this.#shuffled(changed);
  }

  /** A type with changes, one in so many. */
  changed(shape: Shape, oneIn: number, flavour = ''): Shape {
    const change = oneIn > 0 && this.#chance(oneIn);
    const inner = (type: Shape): Shape => this.changed(type, oneIn);
    switch (shape.is) {
      case 'int':
        return change ? this.#int() : shape;
      case 'pointer':
      case 'const':
      case 'volatile':
        return change && shape.to.is !== 'void' ? shape.to : { ...shape, to: inner(shape.to) };
      case 'typedef':
        return { ...shape, name: `${shape.name}${flavour}`, to: inner(shape.to) };
      case 'array':
        return { is: 'array', of: inner(shape.of), count: change ? this.#pick([0, 1, 2, 5]) : shape.count };
      case 'struct':
      case 'union':
        return this.#changedComposite(shape, oneIn, flavour);
      case 'enum': {
        const values = shape.values.filter(() => !(oneIn > 0 && this.#chance(oneIn)));
        const name = change && flavour === '' && this.#chance(2) ? '' : `${shape.name}${flavour}`;
        return {
          ...shape,
          name,
          values: change ? this.#shuffled(values) : values,
          wide: change !== shape.wide,
        };
      }
      case 'prototype':
        return {
          is: 'prototype',
          result: inner(shape.result),
          parameters: shape.parameters.slice(change ? 1 : 0).map(inner),
        };
      case 'fwd':
        return change ? { is: 'struct', name: shape.name, members: [] } : shape;
      default:
        return change ? this.#any(1, []) : shape;
    }
  }

  #changedComposite(
    shape: Extract<Shape, { is: 'struct' | 'union' }>,
    oneIn: number,
    flavour: string,
  ): Shape {
    const happens = (): boolean => oneIn > 0 && this.#chance(oneIn);
    let members = shape.members.flatMap((member): ShapeMember[] => {
      if (happens()) return [];
      const type = this.changed(member.type, oneIn);
      const kept = {
        ...member,
        type,
        bits: happens() ? this.#bitsOf(type) : this.#fitting(type, member.bits),
      };
      if (happens()) kept.name = `${member.name}_`;
      const added: ShapeMember[] = happens() ? [{ name: this.#name('new'), type: this.#int(), bits: 0 }] : [];
      return [...added, kept];
    });
    if (happens()) members = this.#shuffled(members);
    if (happens() && members.length > 1) {
      const inside: Shape = { is: this.#pick(['struct', 'union']), name: '', members: members.slice(0, 2) };
      members = [{ name: '', type: inside, bits: 0 }, ...members.slice(2)];
    }
    const is = happens() ? this.#pick(['struct', 'union'] as const) : shape.is;
    return { is, name: shape.name === '' ? '' : `${shape.name}${flavour}`, members };
  }

  #any(depth: number, known: readonly Shape[]): Shape {
    const choice = this.#random(depth > 0 ? 14 : 4);
    if (choice < 4) return this.#int();
    if (choice === 4) return { is: 'float', size: this.#pick([4, 8]) };
    if (choice === 5) return { is: 'pointer', to: this.#pick([{ is: 'void' }, INT, ...known]) };
    if (choice === 6) return { is: 'pointer', to: this.#prototype(known) };
    if (choice === 7) return { is: this.#pick(['const', 'volatile']), to: this.#any(depth - 1, known) };
    if (choice === 8) return { is: 'typedef', name: this.#name('u'), to: this.#any(depth - 1, known) };
    if (choice < 11)
      return { is: 'array', of: this.#any(depth - 1, known), count: this.#pick([1, 2, 3, 4, 0]) };
    if (choice === 11) return this.#enum(this.#pick(['', this.#name('e')]));
    const structs = known.filter(({ is }) => is === 'struct' || is === 'union');
    if (choice === 12 && structs.length > 0) return this.#pick(structs);
    return this.#composite(this.#pick(['', this.#name('n')]), depth - 1, known);
  }

  #composite(name: string, depth: number, known: readonly Shape[]): Shape {
    const members = Array.from({ length: 1 + this.#random(5) }, (): ShapeMember => {
      const type = this.#any(depth, known);
      const isAnonymous =
        (type.is === 'struct' || type.is === 'union') && type.name === '' && this.#chance(2);
      return {
        name: isAnonymous ? '' : this.#name('m'),
        type,
        bits: this.#chance(3) ? this.#bitsOf(type) : 0,
      };
    });
    if (this.#chance(4)) {
      members.push({
        name: this.#name('flex'),
        type: { is: 'array', of: this.#any(1, known), count: 0 },
        bits: 0,
      });
    }
    return { is: this.#chance(5) ? 'union' : 'struct', name, members };
  }

  #prototype(known: readonly Shape[]): Shape {
    const parameters = Array.from({ length: this.#random(4) }, () => this.#any(1, known));
    return { is: 'prototype', result: this.#pick([{ is: 'void' }, INT]), parameters };
  }

  #enum(name: string): Shape {
    const values = Array.from(
      { length: 1 + this.#random(4) },
      (_, i) =>
        [
          `${name}V${i}${this.#pick(['', '', '___x'])}`,
          this.#pick([i, -i, 0x7fff_ffff, -0x8000_0000]),
        ] as const,
    );
    return { is: 'enum', name, wide: this.#chance(3), signed: this.#chance(2), values };
  }

  #int(): Shape {
    return { is: 'int', size: this.#pick([1, 2, 4, 8]), encoding: this.#pick([0, 0, 1, 1, 4]) };
  }

  /** Whether a member of a type may have a width, and then which. */
  #bitsOf(type: Shape): number {
    return type.is === 'int' || type.is === 'enum' ? 1 + this.#random(sizeOf(type) * 8) : 0;
  }

  #fitting(type: Shape, bits: number): number {
    return type.is === 'int' || type.is === 'enum' ? Math.min(bits, sizeOf(type) * 8) : 0;
  }

  #name(prefix: string): string {
    this.#names += 1;
    return `${prefix}${this.#names}`;
  }

  #chance(oneIn: number): boolean {
    return this.#random(oneIn) === 0;
  }

  #pick<T>(from: readonly T[]): T {
    const picked = from[this.#random(from.length)];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  }

  #shuffled<T>(list: readonly T[]): T[] {
    return list
      .map((value) => ({ value, key: this.#random(1 << 20) }))
      .toSorted((a, b) => a.key - b.key)
      .map(({ value }) => value);
  }
}

/** sizeOf returns the size of a shape as a compiler would lay it out. */
export function sizeOf(shape: Shape): number {
  switch (shape.is) {
    case 'int':
    case 'float':
      return shape.size;
    case 'pointer':
      return 8;
    case 'const':
    case 'volatile':
    case 'typedef':
      return sizeOf(shape.to);
    case 'array':
      return sizeOf(shape.of) * shape.count;
    case 'enum':
      return shape.wide ? 8 : 4;
    case 'struct':
    case 'union':
      return layOut(shape).size;
    default:
      return 0;
  }
}

function layOut({ is, members }: Extract<Shape, { is: 'struct' | 'union' }>): {
  size: number;
  offsets: number[];
} {
  let end = 0;
  let size = 0;
  const offsets = members.map(({ type, bits }) => {
    const width = sizeOf(type) * 8;
    const start = is === 'union' ? 0 : end;
    const unit = Math.max(8, Math.min(width || 8, 64));
    // A bitfield does not cross a word of its type.
    const isWithin = bits > 0 && Math.floor(start / unit) === Math.floor((start + bits - 1) / unit);
    const offset = isWithin ? start : Math.ceil(start / alignment(unit)) * alignment(unit);
    end = offset + (bits > 0 ? bits : width);
    size = Math.max(size, end);
    return offset;
  });
  return { size: Math.ceil(size / 64) * 8, offsets };
}

/** A power of two that is not larger. */
function alignment(bits: number): number {
  return 2 ** Math.floor(Math.log2(bits));
}

/** ShapeEmitter writes shapes as BTF. */
export class ShapeEmitter {
  readonly btf: BtfAssembler;
  readonly #ids = new Map<Shape, number>();
  readonly #int: number;
  #count = 0;

  constructor(order: ByteOrder) {
    this.btf = new BtfAssembler(order);
    this.#int = this.idOf(INT);
  }

  /** Returns the id of a shape, and writes it first if need be. */
  idOf(shape: Shape): number {
    if (shape.is === 'void') return 0;
    const known = this.#ids.get(shape);
    if (known !== undefined) return known;
    this.#write(shape);
    this.#count += 1;
    this.#ids.set(shape, this.#count);
    return this.#count;
  }

  /** Writes a function without parameters, and returns its id. */
  functionId(name: string): number {
    const prototype = this.idOf({ is: 'prototype', result: INT, parameters: [] });
    this.btf.type(Kind.FUNC, name, { vlen: 1, sizeOrTypeId: prototype });
    this.#count += 1;
    return this.#count;
  }

  #write(shape: Exclude<Shape, { is: 'void' }>): void {
    const { btf } = this;
    switch (shape.is) {
      case 'int': {
        const { size, encoding } = shape;
        btf.type(Kind.INT, `int${size}_${encoding}`, {
          sizeOrTypeId: size,
          data: [(encoding << 24) | (size * 8)],
        });
        return;
      }
      case 'float':
        btf.type(Kind.FLOAT, `float${shape.size}`, { sizeOrTypeId: shape.size });
        return;
      case 'pointer':
        btf.type(Kind.PTR, '', { sizeOrTypeId: this.idOf(shape.to) });
        return;
      case 'const':
        btf.type(Kind.CONST, '', { sizeOrTypeId: this.idOf(shape.to) });
        return;
      case 'volatile':
        btf.type(Kind.VOLATILE, '', { sizeOrTypeId: this.idOf(shape.to) });
        return;
      case 'typedef':
        btf.type(Kind.TYPEDEF, shape.name, { sizeOrTypeId: this.idOf(shape.to) });
        return;
      case 'array':
        btf.type(Kind.ARRAY, '', { data: [this.idOf(shape.of), this.#int, shape.count] });
        return;
      case 'fwd':
        btf.type(Kind.FWD, shape.name, { kindFlag: shape.union });
        return;
      case 'enum':
        this.#writeEnum(shape);
        return;
      case 'prototype': {
        const data = shape.parameters.flatMap((type, i) => [`p${i}`, this.idOf(type)]);
        btf.type(Kind.FUNC_PROTO, '', {
          vlen: shape.parameters.length,
          sizeOrTypeId: this.idOf(shape.result),
          data,
        });
        return;
      }
      default:
        this.#writeComposite(shape);
    }
  }

  #writeEnum({ name, wide, signed, values }: Extract<Shape, { is: 'enum' }>): void {
    const data = values.flatMap(([value, number]) =>
      wide ? [value, number, number < 0 ? -1 : 0] : [value, number],
    );
    this.btf.type(wide ? Kind.ENUM64 : Kind.ENUM, name, {
      vlen: values.length,
      kindFlag: signed,
      sizeOrTypeId: wide ? 8 : 4,
      data,
    });
  }

  #writeComposite(shape: Extract<Shape, { is: 'struct' | 'union' }>): void {
    const { size, offsets } = layOut(shape);
    const data = shape.members.flatMap(({ name, type, bits }, i) => [
      name,
      this.idOf(type),
      (bits << 24) | (offsets[i] ?? 0),
    ]);
    this.btf.type(shape.is === 'struct' ? Kind.STRUCT : Kind.UNION, shape.name, {
      vlen: shape.members.length,
      kindFlag: true,
      sizeOrTypeId: size,
      data,
    });
  }
}
