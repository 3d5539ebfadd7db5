import { specialBtf } from './special-btf.js';
import { btfOf, INT, struct } from './type-words.js';

type Case = readonly [what: string, bytes: Uint8Array];

const LONG = 'x'.repeat(512);

/**
 * The grammar of the texts is in `special-btf.ts`. A res lock after a lock is left out: the kernel rejects it like one
 * before a lock, and warns of a bug of its own.
 */
const FIELDS = {
  none: '',
  'a lock': 's{lock@8}',
  'a list node': 's{node@8}',
  'a tree node': 's{leaf@8}',
  'a count': 's{count@8}',
  'a res lock alone': 's{res@0}',
  'a lock that is not aligned': 's{lock@2}',
  'a lock that is not aligned next to one that is': 's{lock@2 lock@8}',
  'a lock that is not aligned next to a node': 's{lock@2 node@8}',
  'a node that is not aligned': 's{node@4}',
  'two locks': 's{lock@0 lock@4}',
  'a res lock and a lock': 's{res@0 lock@4}',
  'two res locks': 's{lock@0 res@4 res@8}',
  'two res locks and nothing that the kernel searches for': 's{res@0 res@4}',
  'a lock and a node that overlap': 's{node@0 lock@8}',
  'a lock and a node that touch': 's{node@0 lock@24}',
  'a lock next to a bitfield': 's{lock:0@0 int:3@33}',
  'a lock next to a bitfield of whole bytes': 's{lock:0@0 int:8@40}',
  'a bitfield in a struct without special fields': 's{int:3@33}',
  'a list node and a tree node': 's{node@0 leaf@24}',
  'a list node, a tree node and a count': 's{node@0 leaf@24 count@56}',
  'two list nodes': 's{node@0 node@24}',
  'a lock in a union': 's%{lock@0}',
  'a struct with a union with a lock': 'u#8%{lock@0} | s{$0@0 lock@8}',
  'two locks, one through a typedef': 'typedef lock_t lock | s{lock@0 $0@4}',
  'a lock through a typedef of its name': 'typedef bpf_spin_lock lock | s{lock@0 $0@4}',
  'a lock through a const only': 'const lock | s{$0@4}',
  'a timer next to a lock': 'bpf_timer#16{} | s{lock@0 $0@8 $0@24}',
  'two problems': 'a{lock@0 lock@4} | b{list@0}',
  'two locks in a section': 'var lock | var lock',
} as const satisfies Record<string, string>;

const ELEM = 'elem{node@0=node}';
const LEAF = 'elem{leaf@0=node}';

const GRAPHS = {
  'a list': `s{list@0 lock@16} | on $0.0 contains:elem:node | ${ELEM}`,
  'a tree': `s{tree@0 lock@16} | on $0.0 contains:elem:node | ${LEAF}`,
  'a list under a res lock': `s{list@0 res@16} | on $0.0 contains:elem:node | ${ELEM}`,
  'a list without a lock': `s{list@0} | on $0.0 contains:elem:node | ${ELEM}`,
  'a tree without a lock': `s{tree@0} | on $0.0 contains:elem:node | ${LEAF}`,
  'a list without a tag': `s{list@0 lock@16} | ${ELEM}`,
  'a list of elements with a tree node': `s{list@0 lock@16} | on $0.0 contains:elem:node | ${LEAF}`,
  'a tree of elements with a list node': `s{tree@0 lock@16} | on $0.0 contains:elem:node | ${ELEM}`,
  'a tag without a member': `s{list@0 lock@16} | on $0.0 contains:elem | ${ELEM}`,
  'a tag with an empty member': `s{list@0 lock@16} | on $0.0 contains:elem: | ${ELEM}`,
  'a tag with an empty struct': `s{list@0 lock@16} | on $0.0 contains::node | ${ELEM}`,
  'a tag with a struct without a name': 's{list@0 lock@16} | on $0.0 contains::node | {node@0=node}',
  'a tag that is empty': `s{list@0 lock@16} | on $0.0 contains: | ${ELEM}`,
  'a list of an unknown struct': `s{list@0 lock@16} | on $0.0 contains:none:node | ${ELEM}`,
  'a list by an unknown member': `s{list@0 lock@16} | on $0.0 contains:elem:none | ${ELEM}`,
  'a list by a member with a suffix': `s{list@0 lock@16} | on $0.0 contains:elem:node:x | ${ELEM}`,
  'a list of a union': 's{list@0 lock@16} | on $0.0 contains:elem:node | elem%{node@0=node}',
  'a list by an int': 's{list@0 lock@16} | on $0.0 contains:elem:node | elem{int@0=node node@8}',
  'a list by the second of two nodes':
    's{list@0 lock@16} | on $0.0 contains:elem:node | elem{node@0=other node@24=node}',
  'a list by two members of a name':
    's{list@0 lock@16} | on $0.0 contains:elem:node | elem{node@0=node node@24=node}',
  'a list by a node that is not aligned':
    's{list@0 lock@16} | on $0.0 contains:elem:node | elem{node@4=node node@32}',
  'a list by a node that is not aligned alone':
    's{list@0 lock@16} | on $0.0 contains:elem:node | elem{node@4=node}',
  'a list by a typedef of a node':
    's{list@0 lock@16} | on $0.0 contains:elem:node | typedef node_t node | elem{$2@0=node node@24}',
  'a list by another struct of the node’s name':
    's{list@0 lock@16} | on $0.0 contains:elem:node | bpf_list_node#24{} | elem{$2@0=node}',
  'a list by a smaller struct of the node’s name':
    's{list@0 lock@16} | on $0.0 contains:elem:node | bpf_list_node#8{} | elem{$2@0=node lock@24}',
  'a list of the first of two structs': `s{list@0 lock@16} | on $0.0 contains:elem:node | ${ELEM} | elem{}`,
  'a list of the second of two structs': `s{list@0 lock@16} | on $0.0 contains:elem:node | elem{} | ${ELEM}`,
  'a list with two tags': `s{list@0 lock@16} | on $0.0 contains:elem:node | ${ELEM} | on $0.0 contains:elem:node`,
  'a list with a tag of another kind': `s{list@0 lock@16} | on $0.0 contains:elem:node | ${ELEM} | on $0.0 other:a:b`,
  'a list with a tag on the struct': `s{list@0 lock@16} | on $0 contains:elem:node | ${ELEM}`,
  'a list with a tag on the lock': `s{list@0 lock@16} | on $0.1 contains:elem:node | ${ELEM}`,
  'a list with a tag of nearly the name': `s{list@0 lock@16} | on $0.0 contain:elem:node | ${ELEM}`,
  'a struct of 512 letters': `s{list@0 lock@16} | on $0.0 contains:${LONG}:node | ${LONG}{node@0=node}`,
  'a struct of 513 letters': `s{list@0 lock@16} | on $0.0 contains:${LONG}x:node | ${LONG}{node@0=node}`,
  'a member of 512 letters': `s{list@0 lock@16} | on $0.0 contains:elem:${LONG} | elem{node@0=${LONG}}`,
  'a member of 513 letters': `s{list@0 lock@16} | on $0.0 contains:elem:${LONG}x | elem{node@0=${LONG}}`,
  'a member without a name': 's{list@0 lock@16} | on $0.0 contains:elem:(anon) | elem{node@0=}',
  'a struct without a name': 's{list@0 lock@16} | on $0.0 contains:(anon):node | {node@0=node}',
  'names in Latin 1': 's{list@0 lock@16} | on $0.0 contains:ä:å | å{} | ä{node@0=å}',
  'names in Latin 1 that differ': 's{list@0 lock@16} | on $0.0 contains:elem:ä | elem{node@0=å}',
  'a list of itself': 's{list@0 lock@16 node@24=node} | on $0.0 contains:s:node',
  'a struct in a list that owns a list': `s{list@0 lock@16} | on $0.0 contains:mid:node | mid{node@0=node list@24 lock@40} | on $2.1 contains:elem:node | ${ELEM}`,
  'a chain of three owners': `s{list@0 lock@16} | on $0.0 contains:mid:node | mid{node@0=node list@24 lock@40} | on $2.1 contains:low:node | low{node@0=node list@24 lock@40} | on $4.1 contains:elem:node | ${ELEM}`,
  'two owners of each other':
    'a{list@0 lock@16 node@24=node} | on $0.0 contains:b:node | b{list@0 lock@16 node@24=node} | on $2.0 contains:a:node',
  'a list and a tree': `s{list@0 lock@16 tree@24} | on $0.0 contains:elem:node | on $0.2 contains:leaf:node | ${ELEM} | leaf{leaf@0=node}`,
  'a list whose elements have tagged pointers alone':
    's{list@0 lock@16} | on $0.0 contains:elem:node | ptr $3 | tag kptr $4 | btfd_local{} | elem{$2@0=node}',
  'a list in a struct under the lock around it': `s{$1@0 lock@128} | in#64{list@0} | on $1.0 contains:elem:node | ${ELEM}`,
  'a list in a struct, tagged outside of it': `s{$1@0 lock@128} | in#64{list@0} | on $0.0 contains:elem:node | ${ELEM}`,
  ...Object.fromEntries(
    [1, 2, 10, 11, 12].map((count) => [
      `an array of ${count} lists`,
      `array list ${count} | s{$0@0 lock@200} | on $1.0 contains:elem:node | ${ELEM}`,
    ]),
  ),
  'an array of arrays of lists': `array list 2 | array $0 3 | s{$1@0 lock@200} | on $2.0 contains:elem:node | ${ELEM}`,
} as const satisfies Record<string, string>;

/** Returns arrays of one element, each of the previous array. */
const arrays = (type: string, depth: number): string =>
  Array.from({ length: depth }, (_, i) => `array ${i === 0 ? type : `$${i - 1}`} 1`).join(' | ');

/** Returns structs, each within the previous one. The outermost also has a node, and the innermost a lock. */
const nest = (depth: number): string =>
  Array.from({ length: depth }, (_, i) => {
    const inner = i === depth - 1 ? 'lock@0' : `$${i + 1}@24`;
    return `s${i}#${4096 - i * 32}{${i === 0 ? 'node@0 ' : ''}${inner}}`;
  }).join(' | ');

/** Returns the same with the innermost first. In this order the kernel resolves any depth. */
const nestOutwards = (depth: number): string =>
  Array.from({ length: depth }, (_, i) => {
    const inner = i === 0 ? 'lock@0' : `$${i - 1}@24`;
    return `s${i}#${64 + i * 32}{${i === depth - 1 ? 'node@0 ' : ''}${inner}}`;
  }).join(' | ');

const nodes = (count: number): string => Array.from({ length: count }, (_, i) => `node@${i * 24}`).join(' ');

const NESTED = {
  ...Object.fromEntries(
    [0, 1, 2].map((count) => [`an array of ${count} locks`, `array lock ${count} | s{$0@0 node@64}`]),
  ),
  'an array of locks alone': 'array lock 1 | s{$0@0}',
  '31 arrays in each other': `${arrays('lock', 31)} | s{$30@0 node@8}`,
  '32 arrays in each other': `${arrays('lock', 32)} | s{$31@0 node@8}`,
  '31 arrays of a list': `${arrays('list', 31)} | s{$30@0 lock@128} | on $31.0 contains:elem:node | ${ELEM}`,
  '32 arrays of ints': `${arrays('int', 32)} | s{$31@0 node@8}`,
  '11 nodes': `s#512{${nodes(11)}}`,
  '12 nodes': `s#512{${nodes(12)}}`,
  '11 nodes, 6 of them in a struct': `in{${nodes(6)}} | s#512{$0@0 ${nodes(5).replaceAll('@', '@3')}}`,
  'a lock in a struct': `in#64{lock@0} | s{$0@0}`,
  'a lock in a struct with a node': nest(2),
  'a lock and a res lock in a struct': 'in#64{res@0} | s{$0@0 lock@64}',
  '16 structs in each other': nest(16),
  '32 structs in each other': nest(32),
  '32 structs around each other': nestOutwards(32),
  '33 structs around each other': nestOutwards(33),
  'an array of structs with nodes': 'in#24{node@0} | array $0 2 | s{$1@0 lock@64}',
  'an array of one struct with a node': 'in#24{node@0} | array $0 1 | s{$1@0 lock@64}',
  'an array of structs with nothing special': 'in#24{} | array $0 2 | s{$1@0 lock@64}',
  'a bitfield in a struct within': 'in#8{int:3@1} | s{$0@0 lock@64}',
  'a union with two locks within': 'in#8%{lock@0 lock@0} | s{$0@0 lock@64}',
  'two structs, each with a count': 'a{node@0 count@24} | b{leaf@0 count@32}',
} as const satisfies Record<string, string>;

const TAGS = ['kptr', 'kptr_untrusted', 'percpu_kptr', 'uptr', 'rcu', 'user', 'kptr2', 'kpt'];
const KPTR = 'ptr $1 | tag kptr_untrusted $2 | btfd_local{}';

const POINTERS = {
  ...Object.fromEntries(
    TAGS.flatMap((name) => [
      [`a pointer tagged ${name}`, `ptr $1 | tag ${name} $2 | btfd_local{} | s{$0@0}`],
      [`a pointer tagged ${name} to an int`, `ptr $1 | tag ${name} int | s{$0@0}`],
      [`a pointer tagged ${name} to a union`, `ptr $1 | tag ${name} $2 | btfd_local%{} | s{$0@0}`],
      [`a pointer tagged ${name} to a declaration`, `ptr $1 | tag ${name} $2 | fwd btfd_local | s{$0@0}`],
      [`a pointer tagged ${name} by a lock`, `ptr $1 | tag ${name} $2 | btfd_local{} | s{lock@0 $0@8}`],
      [`a pointer tagged ${name} to an int by a lock`, `ptr $1 | tag ${name} int | s{lock@0 $0@8}`],
    ]),
  ),
  'two tags': 'ptr $1 | tag kptr $2 | tag rcu $3 | btfd_local{} | s{$0@0}',
  'two tags next to a lock': 'ptr $1 | tag kptr $2 | tag kptr $3 | btfd_local{} | s{lock@0 $0@8}',
  'an attribute': 'ptr $1 | attribute rcu $2 | btfd_local{} | s{lock@0 $0@8}',
  'not aligned': `${KPTR} | s{$0@4}`,
  'not aligned, next to a lock': `${KPTR} | s{lock@0 $0@4}`,
  'over a lock': `${KPTR} | s{$0@0 lock@4}`,
  const: `${KPTR} | const $0 | s{$3@0}`,
  volatile: `${KPTR} | volatile $0 | s{$3@0 lock@4}`,
  'volatile twice': `${KPTR} | volatile $0 | volatile $3 | s{$4@0 lock@4}`,
  'through a typedef': `${KPTR} | typedef p $0 | s{$3@0 lock@4}`,
  'to a const struct': 'ptr $1 | tag kptr $2 | const $3 | btfd_local{} | s{$0@0}',
  'to a typedef of a struct': 'ptr $1 | tag kptr $2 | typedef t $3 | btfd_local{} | s{$0@0 lock@4}',
  'to a typedef of an array of structs':
    'ptr $1 | tag kptr $2 | typedef t $3 | array $4 1 | btfd_local{} | s{$0@0 lock@8}',
  '11 in an array': `${KPTR} | array $0 11 | s{$3@0 $0@128}`,
  '10 in an array and one': `${KPTR} | array $0 10 | s{$3@0 $0@128}`,
  '11 in an array and a lock': `${KPTR} | array $0 11 | s{$3@0 lock@128}`,
  'in an array alone': `${KPTR} | array $0 2 | s{$3@0}`,
  'in structs in an array': `${KPTR} | in#8{$0@0} | array $3 3 | s{$4@0 lock@32}`,
} as const satisfies Record<string, string>;

/** BTFs whose structs have special names but other sizes than those of `specialBtf`. */
const SIZES: readonly Case[] = [
  ['a lock of 8 bytes', btfOf(struct(8, [], { name: 'bpf_spin_lock' }), struct(8, [['l', 1, 0]]))],
  ['a list node of 16 bytes', btfOf(struct(16, [], { name: 'bpf_list_node' }), struct(32, [['n', 1, 0]]))],
  ['a tree node of 24 bytes', btfOf(struct(24, [], { name: 'bpf_rb_node' }), struct(32, [['n', 1, 0]]))],
  ['a union named as a lock', unionLock()],
  ...[
    ['a lock of 8 bytes next to one of 4', [['k', 1, 0] as const, ['l', 2, 64] as const]] as const,
    ['two locks, neither the first of the name', [['k', 2, 0] as const, ['l', 2, 64] as const]] as const,
  ].map(([what, members]) => {
    const locks = [8, 4].map((size) => struct(size, [], { name: 'bpf_spin_lock' }));
    return [what, btfOf(...locks, struct(16, members))] as const;
  }),
  [
    'timers and work, which only maps have',
    btfOf(
      struct(16, [], { name: 'bpf_timer' }),
      struct(16, [], { name: 'bpf_wq' }),
      struct(8, [], { name: 'bpf_task_work' }),
      struct(64, [
        ['t', 1, 0] as const,
        ['u', 1, 128] as const,
        ['w', 2, 256] as const,
        ['k', 3, 384] as const,
      ]),
    ),
  ],
];

function unionLock(): Uint8Array {
  const lock = struct(4, [], { name: 'bpf_spin_lock', kind: 'UNION' });
  return btfOf(INT, lock, struct(16, [['k', 2, 0] as const, ['l', 2, 64] as const]));
}

/** SPECIAL_FIELDS are BTFs with valid and invalid fields that are special to BPF programs. */
export const SPECIAL_FIELDS: readonly Case[] = [
  ...Object.entries({ ...FIELDS, ...GRAPHS, ...NESTED }).map(
    ([what, text]) => [what, specialBtf(text)] as const,
  ),
  ...Object.entries(POINTERS).map(([what, text]) => [`a tagged pointer: ${what}`, specialBtf(text)] as const),
  ...SIZES,
];
