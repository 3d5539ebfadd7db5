import { array, btfOf, INT, ref, struct, tag, type TypeWords, variable } from './type-words.js';

/** The types with which each BTF begins, by their names in member lists. */
const COMMON = {
  int: INT,
  lock: struct(4, [['a', 1, 0]], { name: 'bpf_spin_lock' }),
  res: struct(4, [['a', 1, 0]], { name: 'bpf_res_spin_lock' }),
  list: struct(16, [], { name: 'bpf_list_head' }),
  node: struct(24, [], { name: 'bpf_list_node' }),
  tree: struct(16, [], { name: 'bpf_rb_root' }),
  leaf: struct(32, [], { name: 'bpf_rb_node' }),
  count: struct(4, [], { name: 'bpf_refcount' }),
} as const satisfies Record<string, TypeWords>;

/** The default size of a struct, large enough for all members here. */
const SIZE = 256;

/**
 * specialBtf makes BTF with fields that are special to BPF programs from a text. Types are separated by ` | `, and `$0`
 * is the first of them:
 *
 * - `name{lock@0 $2@8=next int:3@65}`: a struct with members of a type at a byte, `=next` with a name, and `:3@65` with a
 *   width of 3 at bit 65. `name#24{…}` has a size of 24 bytes, and `name%{…}` is a union.
 * - `array $1 3`, `ptr $1`, `const $1`, `volatile $1`, `typedef name $1`, `tag name $1` (a type tag),
 *   `attribute name $1` (the same with the kind flag), `var $1`, `fwd name`.
 * - `on $0.1 contains:elem:node`: a declaration tag on member 1, or on all of `$0`.
 */
export function specialBtf(text: string): Uint8Array {
  const types = text.split(' | ').filter((type) => type !== '');
  return btfOf(...Object.values(COMMON), ...types.map(typeOf));
}

function typeOf(text: string): TypeWords {
  const composite = /^([^ #%{]*)(?:#(\d+))?(%?)\{(.*)\}$/.exec(text);
  if (composite !== null) {
    const [, name = '', size = SIZE, union, members = ''] = composite;
    return compositeOf(name, Number(size), union !== '', members.split(' '));
  }
  const [word, a = '', b = ''] = text.split(' ');
  switch (word) {
    case 'array':
      return array(idOf(a), 1, Number(b));
    case 'ptr':
      return ref('PTR', idOf(a));
    case 'const':
      return ref('CONST', idOf(a));
    case 'volatile':
      return ref('VOLATILE', idOf(a));
    case 'typedef':
      return ref('TYPEDEF', idOf(b), a);
    case 'tag':
      return ref('TYPE_TAG', idOf(b), a);
    case 'attribute':
      return { ...ref('TYPE_TAG', idOf(b), a), flag: true };
    case 'var':
      return variable(idOf(a));
    case 'fwd':
      return { kind: 'FWD', name: a };
    case 'on': {
      const [target = '', component = -1] = a.split('.');
      return tag(idOf(target), Number(component), { name: b });
    }
    default:
      throw new Error(`no type: ${text}`);
  }
}

function compositeOf(name: string, size: number, union: boolean, members: readonly string[]): TypeWords {
  const parsed = members
    .filter((member) => member !== '')
    .map((member, i) => {
      const [, type = '', width, at = '', own] = /^([^@:]+)(?::(\d+))?@(\d+)(?:=(.*))?$/.exec(member) ?? [];
      const word = width === undefined ? Number(at) * 8 : (Number(width) << 24) | Number(at);
      return [own ?? `m${i}`, idOf(type), word] as const;
    });
  const flag = members.some((member) => member.includes(':'));
  return struct(size, parsed, { name, flag, kind: union ? 'UNION' : 'STRUCT' });
}

function idOf(text: string): number {
  const names = Object.keys(COMMON);
  return text.startsWith('$') ? names.length + 1 + Number(text.slice(1)) : names.indexOf(text) + 1;
}
