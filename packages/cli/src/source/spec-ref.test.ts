import { expect, test } from '@jest/globals';
import { formatObjectRef, parseSpecRef, parseSpecWords } from './spec-ref.js';

const name = (text: string, node: string | null = null): unknown => ({
  kind: 'object',
  node,
  object: { kind: 'name', name: text },
});
const id = (number: number, node: string | null = null): unknown => ({
  kind: 'object',
  node,
  object: { kind: 'id', id: number },
});
const file = (path: string): unknown => ({ kind: 'file', path });

test.each([
  ['vmlinux', name('vmlinux')],
  ['nf_tables', name('nf_tables')],
  ['vmlinux.inline', name('vmlinux.inline')],
  ['id:7', id(7)],
  ['@web1', name('vmlinux', 'web1')],
  ['@web1/nf_tables', name('nf_tables', 'web1')],
  ['@web1/id:7', id(7, 'web1')],
  ['@web1.example:7443', name('vmlinux', 'web1.example:7443')],
  ['@[::1]:7443/id:7', id(7, '[::1]:7443')],
  ['@unix:/run/btfd/btfd.sock', name('vmlinux', 'unix:/run/btfd/btfd.sock')],
  ['unix:/run/btfd/btfd.sock', name('vmlinux', 'unix:/run/btfd/btfd.sock')],
  ['web1.example:7443', name('vmlinux', 'web1.example:7443')],
  ['./vmlinux', file('./vmlinux')],
  ['/sys/kernel/btf/vmlinux', file('/sys/kernel/btf/vmlinux')],
  ['program.bpf.o', file('program.bpf.o')],
  ['file:vmlinux', file('vmlinux')],
  ['-', file('-')],
])('%s', (text, ref) => {
  const read = parseSpecRef(text);
  expect(read).toEqual(ref);
  if (read.kind === 'object') expect(parseSpecRef(formatObjectRef(read))).toEqual(ref);
});

test('the words of bpftool are parsed too', () => {
  expect(parseSpecWords(['id', '7'])).toEqual([id(7)]);
  expect(parseSpecWords(['file', 'vmlinux'])).toEqual([file('vmlinux')]);
  expect(parseSpecWords(['file', 'a', 'file', 'b'])).toEqual([file('a'), file('b')]);
  expect(parseSpecWords(['vmlinux'])).toEqual([name('vmlinux')]);
  expect(parseSpecWords(['xfs', 'id', '7'])).toEqual([name('xfs'), id(7)]);
});

test.each([
  ['prog', '"prog" is not a SPEC'],
  ['vmlinux map id 7', '"map" is not a SPEC'],
  ['id 0x7', '"0x7" is not a BTF id'],
])('the words %p are rejected', (words, message) => {
  expect(() => parseSpecWords(words.split(' '))).toThrow(message);
});

test.each([
  ['', 'the SPEC is empty'],
  ['@', 'does not name a node'],
  ['@web1/', 'the name of the object is empty'],
  ['id:0', '"0" is not a BTF id'],
  ['id:x', '"x" is not a BTF id'],
  ['0', '"0" is not a BTF id'],
  ['id:4294967296', 'is not a BTF id'],
])('%p is rejected', (text, message) => {
  expect(() => parseSpecRef(text)).toThrow(message);
});
