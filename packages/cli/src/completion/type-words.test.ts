import { describe, expect, test } from '@jest/globals';
import { Builder, IntEncoding, type Member, type Spec, type TypeId } from '@btfd/btf';
import { memberAnswer } from './type-words.js';

const member = (name: string, typeId: TypeId): Member => ({ name, typeId, bitOffset: 0, bitfieldSize: 0 });

/** The types of `struct outer { struct inner in, arr[2], *ptr; union { int x; inner_t y; }; struct gone *gone; int plain; }`. */
function sample(): Spec {
  const builder = new Builder();
  const int = builder.add({
    kind: 'INT',
    name: 'int',
    size: 4,
    encoding: IntEncoding.SIGNED,
    bits: 32,
    bitOffset: 0,
  });
  const inner = builder.add({ kind: 'STRUCT', name: 'inner', size: 4, members: [member('value', int)] });
  const alias = builder.add({ kind: 'TYPEDEF', name: 'inner_t', typeId: inner });
  builder.add({ kind: 'TYPEDEF', name: 'inner_number', typeId: int });
  const array = builder.add({ kind: 'ARRAY', typeId: inner, indexTypeId: int, nelems: 2 });
  const pointer = builder.add({ kind: 'PTR', typeId: alias });
  const union = builder.add({
    kind: 'UNION',
    name: '',
    size: 4,
    members: [member('x', int), member('y', alias)],
  });
  const gone = builder.add({ kind: 'FWD', name: 'gone', union: false });
  const declared = builder.add({ kind: 'FWD', name: 'inner', union: false });
  const members = [
    member('in', inner),
    member('arr', array),
    member('ptr', pointer),
    member('', union),
    member('gone', builder.add({ kind: 'PTR', typeId: gone })),
    member('declared', builder.add({ kind: 'PTR', typeId: declared })),
    member('plain', int),
  ];
  builder.add({ kind: 'STRUCT', name: 'outer', size: 64, members });
  builder.add({ kind: 'STRUCT', name: 'evil;$(id)', size: 4, members: [member('a', int)] });
  builder.add({ kind: 'STRUCT', name: 'twice', size: 4, members: [member('first', int)] });
  builder.add({ kind: 'STRUCT', name: 'twice', size: 4, members: [member('second', int)] });
  builder.add({ kind: 'STRUCT', name: 'odd', size: 4, members: [member('a\nb', int), member('ok', int)] });
  return builder.toSpec();
}

describe('memberAnswer', () => {
  const spec = sample();

  function offered(typed: string): string[] {
    const answer = memberAnswer(spec, typed);
    if (answer.kind !== 'words') throw new Error(`not words: ${answer.kind}`);
    return answer.words.map(({ text }) => answer.head + text);
  }

  test.each([
    // Structs, unions and typedefs of them.
    ['in', ['inner', 'inner_t']],
    ['struct in', ['struct inner.value']],
    // A single struct continues with its members.
    ['out', ['arr', 'declared', 'gone', 'in', 'plain', 'ptr', 'x', 'y'].map((name) => `outer.${name}`)],
    ['outer.pl', ['outer.plain']],
    // One with members gets a dot as well, so that there is no space.
    ['outer.in', ['outer.in', 'outer.in.']],
    ['outer.y', ['outer.y', 'outer.y.']],
    ['outer.in.', ['outer.in.value']],
    ['outer->in->v', ['outer->in->value']],
    ['outer.ptr.', ['outer.ptr.value']],
    ['outer.arr[1].', ['outer.arr[1].value']],
    ['outer.arr.', []],
    ['outer.arr[2].', []],
    ['outer.arr[', []],
    ['outer.gone.', []],
    ['outer.declared.', ['outer.declared.value']],
    ['outer.plain.', []],
    ['outer.x.', []],
    ['2.v', ['2.value']],
    ['twice.', ['twice.first', 'twice.second']],
    ['evil', []],
    ['odd.', ['odd.ok']],
    ['nosuch.', []],
    ['nosuch', []],
    ['.', []],
    ['..', []],
    ['outer..', []],
    [`outer${'.in'.repeat(5_000)}.`, []],
  ])('%s', (typed, words) => {
    expect(offered(typed)).toEqual(words);
  });
});
