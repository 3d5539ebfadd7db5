import { Kind } from '@btfd/btf';
import { rawBtf } from './sample-btf.js';

/** TypeWords are the words of a type. A string stands for its offset in the string section. */
export interface TypeWords {
  readonly kind: keyof typeof Kind | number;
  /** The name. Default: no name. */
  readonly name?: string | number;
  readonly vlen?: number;
  readonly flag?: boolean;
  /** The size or type id. Default: 0. */
  readonly third?: number;
  readonly data?: readonly (number | string)[];
}

/** btfOf returns BTF of types, without any check. */
export function btfOf(...types: readonly TypeWords[]): Uint8Array {
  const strings: number[] = [0];
  const offsets = new Map<string, number>([['', 0]]);
  const offset = (text: string | number): number => {
    if (typeof text === 'number') return text;
    const known = offsets.get(text);
    if (known !== undefined) return known;
    const at = strings.length;
    offsets.set(text, at);
    for (const byte of Buffer.from(text, 'latin1')) strings.push(byte);
    strings.push(0);
    return at;
  };
  const words: number[] = [];
  for (const { kind, name = 0, vlen = 0, flag = false, third = 0, data = [] } of types) {
    const number = typeof kind === 'number' ? kind : Kind[kind];
    words.push(offset(name), ((flag ? 1 << 31 : 0) | (number << 24) | vlen) >>> 0, third >>> 0);
    for (const word of data) words.push(offset(word) >>> 0);
  }
  return rawBtf(words, Buffer.from(strings).toString('latin1'));
}

/** INT is an `int`. */
export const INT: TypeWords = { kind: 'INT', name: 'int', third: 4, data: [0x01000020] };

/** struct returns a struct of a size with members `[name, type id, offset word]`. */
export function struct(
  third: number,
  members: readonly (readonly [name: string | number, typeId: number, offset: number])[],
  more: Partial<TypeWords> = {},
): TypeWords {
  return { kind: 'STRUCT', name: 's', third, vlen: members.length, data: members.flat(), ...more };
}

/** ref returns a type that is a reference to another, such as a PTR. */
export function ref(kind: TypeWords['kind'], third: number, name: string | number = 0): TypeWords {
  return { kind, third, name };
}

/** array returns an array type. */
export function array(typeId: number, indexTypeId: number, nelems: number): TypeWords {
  return { kind: 'ARRAY', data: [typeId, indexTypeId, nelems] };
}

/** proto returns a FUNC_PROTO with parameters `[name, type id]`. */
export function proto(
  third: number,
  params: readonly (readonly [name: string | number, typeId: number])[] = [],
): TypeWords {
  return { kind: 'FUNC_PROTO', third, vlen: params.length, data: params.flat() };
}

/** section returns a DATASEC with `[type id, offset, size]` for each variable. */
export function section(
  third: number,
  vars: readonly (readonly [typeId: number, offset: number, size: number])[],
  more: Partial<TypeWords> = {},
): TypeWords {
  return { kind: 'DATASEC', name: '.data', third, vlen: vars.length, data: vars.flat(), ...more };
}

/** variable returns a VAR. */
export function variable(third: number, linkage = 1, name: string | number = 'v'): TypeWords {
  return { kind: 'VAR', name, third, data: [linkage] };
}

/** enumeration returns an ENUM with values `[name, value]`. */
export function enumeration(
  third: number,
  values: readonly (readonly [name: string | number, value: number])[],
  more: Partial<TypeWords> = {},
): TypeWords {
  return { kind: 'ENUM', name: 'e', third, vlen: values.length, data: values.flat(), ...more };
}

/** tag returns a DECL_TAG. */
export function tag(third: number, component = -1, more: Partial<TypeWords> = {}): TypeWords {
  return { kind: 'DECL_TAG', name: 'tag', third, data: [component], ...more };
}
