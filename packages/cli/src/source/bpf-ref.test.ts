import { expect, test } from '@jest/globals';
import { Builder, FuncLinkage, type Spec } from '@btfd/btf';
import type { HandleInfo, ObjectUsers } from '@btfd/client';
import { type BpfRef, findBpfObject, formatBpfRef, parseBpfWords } from './bpf-ref.js';

const name = (text: string) => ({ kind: 'name' as const, name: text });
const id = (number: number) => ({ kind: 'id' as const, id: number });

test.each<[string, BpfRef]>([
  ['prog id 7', { kind: 'prog', object: id(7), types: 'all' }],
  ['prog name trace', { kind: 'prog', object: name('trace'), types: 'all' }],
  ['prog name 7', { kind: 'prog', object: name('7'), types: 'all' }],
  ['prog 7', { kind: 'prog', object: id(7), types: 'all' }],
  ['prog id:7', { kind: 'prog', object: id(7), types: 'all' }],
  ['prog trace', { kind: 'prog', object: name('trace'), types: 'all' }],
  ['map id 7', { kind: 'map', object: id(7), types: null }],
  ['map id 7 key', { kind: 'map', object: id(7), types: 'key' }],
  ['map name counters value', { kind: 'map', object: name('counters'), types: 'value' }],
  ['map counters kv', { kind: 'map', object: name('counters'), types: 'kv' }],
  ['map name 15_letters_long', { kind: 'map', object: name('15_letters_long'), types: null }],
  ['prog name 16_letters__long', { kind: 'prog', object: name('16_letters__long'), types: 'all' }],
  ['map name key all', { kind: 'map', object: name('key'), types: 'all' }],
])('%s', (text, ref) => {
  expect(parseBpfWords(text.split(' '))).toEqual({ ref, rest: [] });
  const again = `${formatBpfRef(ref).replaceAll('"', '')}${ref.kind === 'map' && ref.types !== null ? ` ${ref.types}` : ''}`;
  expect(parseBpfWords(again.split(' '))?.ref).toEqual(ref);
});

test.each([
  ['prog id 7 key', ['key']],
  ['map id 7 nosuch', ['nosuch']],
  ['map id 7 all key', ['key']],
])('words after a program or a map remain: %s', (text, rest) => {
  expect(parseBpfWords(text.split(' '))?.rest).toEqual(rest);
});

test.each(['prog', 'map', 'vmlinux', 'id 7', 'xfs prog 7'])('"%s" names neither', (text) => {
  expect(parseBpfWords(text.split(' '))).toBeNull();
});

test.each([
  ['prog id', 'prog id needs a value'],
  ['map name', 'map name needs a value'],
  ['prog id x', '"x" is not a program id'],
  ['map 0', '"0" is not a map id'],
  ['map id 0x7', '"0x7" is not a map id'],
  ['map id 4294967296', 'is not a map id'],
  [
    'map name 16_letters__long',
    '"16_letters__long" is not the name of a map: it has more than 15 characters',
  ],
  ['map 16_letters__long all', 'it has more than 15 characters'],
  ['prog tag 12ab', '"prog tag" is not supported'],
  ['map pinned /sys/fs/bpf/m', '"map pinned" is not supported'],
  ['prog name ', 'prog name needs a value'],
  ['map ', 'the name of the object is empty'],
])('"%s" is rejected', (text, message) => {
  expect(() => parseBpfWords(text.split(' '))).toThrow(message);
});

const OLD = { keyTypeId: null, valueTypeId: null };

function info(btfId: number, users: Partial<ObjectUsers> | null): HandleInfo {
  const all = users === null ? null : { programs: [], maps: [], processes: [], ...users };
  return {
    id: btfId,
    name: '',
    origin: 'user',
    isKernel: false,
    size: 100,
    removed: false,
    isVmlinux: false,
    isModule: false,
    digest: null,
    users: all,
  };
}

const INFOS = [
  info(1, null),
  info(5, {
    programs: [
      { id: 9, name: 'same' },
      { id: 7, name: 'fifteen_letters' },
      { id: 10, name: 'tracepoint__sys' },
      { id: 11, name: 'tracepoint__sys' },
    ],
    maps: [{ id: 7, name: 'counters', keyTypeId: 3, valueTypeId: 3 }],
  }),
  info(6, {
    programs: [
      { id: 8, name: 'same' },
      { id: 12, name: 'tracepoint__sys' },
    ],
    maps: [
      { id: 8, name: '', keyTypeId: 0, valueTypeId: 4 },
      { id: 9, name: 'old', ...OLD },
    ],
  }),
];

/** The functions of each BTF object, and a type of another kind. */
const FUNCTIONS: Readonly<Record<number, readonly string[]>> = {
  5: ['fifteen_letters_and_more', 'tracepoint__sys_enter', 'tracepoint__sys_exit'],
  6: ['tracepoint__sys_exit', 'same'],
};

async function specOf(btfId: number): Promise<Spec> {
  const builder = new Builder();
  const typeId = builder.add({ kind: 'FUNC_PROTO', returnTypeId: 0, params: [] });
  for (const own of FUNCTIONS[btfId] ?? [])
    builder.add({ kind: 'FUNC', name: own, typeId, linkage: FuncLinkage.STATIC });
  builder.add({ kind: 'TYPEDEF', name: 'fifteen_letters_no_function', typeId: 0 });
  return builder.toSpec();
}

const find = async (text: string): Promise<unknown> => {
  const read = parseBpfWords(text.split(' '));
  return read === null ? null : findBpfObject(INFOS, read.ref, specOf);
};

test.each<[string, number, number[] | null]>([
  ['prog 7', 5, null],
  ['prog 8', 6, null],
  ['prog fifteen_letters', 5, null],
  ['prog fifteen_letters_and_more', 5, null],
  // Two programs of one object have these first characters.
  ['prog tracepoint__sys_enter', 5, null],
  ['map counters', 5, [3, 3]],
  ['map counters key', 5, [3]],
  ['map 8 kv', 6, [0, 4]],
  ['map 8 value', 6, [4]],
  ['map 7 all', 5, null],
  ['map old all', 6, null],
])('%s has BTF %i and the types %j', async (text, btfId, roots) => {
  expect(await find(text)).toEqual({ btfId, roots });
});

test.each([
  ['prog 6', 3, 'no program with BTF has the id 6'],
  ['map nosuch', 3, 'no map with BTF has the name "nosuch"'],
  ['prog counters', 3, 'no program with BTF has the name "counters"'],
  ['prog same', 3, '2 programs have the name "same": 8, 9'],
  ['prog fifteen_letters_and_less', 3, 'no program with BTF has the name "fifteen_letters_and_less"'],
  ['prog fifteen_letters_no_function', 3, 'no program with BTF has the name "fifteen_letters_no_function"'],
  ['prog tracepoint__sys_exit', 3, '3 programs have the name "tracepoint__sys_exit": 10, 11, 12'],
  ['map old', 1, 'the daemon is too old to report the types of map name "old"'],
])('%s exits with %i: %s', async (text, exitCode, message) => {
  await expect(find(text)).rejects.toThrow(expect.objectContaining({ exitCode, message }));
});
