import type { HandleInfo } from '@btfd/client';
import { usageError } from '../error/cli-error.js';

/** STANDARD_INPUT is the path that stands for standard input. */
export const STANDARD_INPUT = '-';

/** ObjectRef names an object of a kernel. */
export type ObjectRef =
  { readonly kind: 'name'; readonly name: string } | { readonly kind: 'id'; readonly id: number };

/** SpecRef says whose types are meant: an object's of a node, or those in a file. */
export type SpecRef =
  | {
      readonly kind: 'object';
      /** A context or an address; null for the node that the command asks anyway. */
      readonly node: string | null;
      readonly object: ObjectRef;
    }
  | { readonly kind: 'file'; readonly path: string };

/** SPEC_HELP tells in the help of commands what a SPEC is. */
export const SPEC_HELP = `SPEC is one of
  vmlinux, or the name of a module
  id:7            the object with a BTF id
  @NODE           the vmlinux of another node: a context, or an address
  @NODE/SPEC      another object of that node, such as @web1/nf_tables
  ./vmlinux.btf   the path of a file with BTF or of an ELF file; - is standard input`;

const VMLINUX: ObjectRef = { kind: 'name', name: 'vmlinux' };

/** What ends a file's name, so that it needs no slash. */
const FILE_NAME = /\.(?:btf|o|ko|elf|bpf)$/;

/**
 * parseSpecRef reads a SPEC.
 *
 * @throws CliError USAGE.
 */
export function parseSpecRef(text: string): SpecRef {
  if (text === '') throw usageError('an empty text names no BTF');
  if (text.startsWith('@')) return parseNodeRef(text.slice(1));
  if (text.startsWith('unix:')) return { kind: 'object', node: text, object: VMLINUX };
  const path = text.startsWith('file:') ? text.slice('file:'.length) : null;
  if (path !== null) return { kind: 'file', path };
  if (text === STANDARD_INPUT) return { kind: 'file', path: text };
  if (text.startsWith('id:')) return { kind: 'object', node: null, object: parseObject(text) };
  if (/^(?:\[[^\]/]+\]|[^:/]+):\d+$/.test(text)) return { kind: 'object', node: text, object: VMLINUX };
  if (text.includes('/') || FILE_NAME.test(text)) return { kind: 'file', path: text };
  return { kind: 'object', node: null, object: parseObject(text) };
}

/**
 * parseSpecWords reads the words of bpftool's grammar too: `id 7`, `file PATH`.
 *
 * @throws CliError USAGE.
 */
export function parseSpecWords(words: readonly string[]): SpecRef {
  const [first = '', second] = words;
  if (words.length === 1) return parseSpecRef(first);
  if (words.length === 2 && second !== undefined) {
    if (first === 'id') return parseSpecRef(`id:${second}`);
    if (first === 'file') return { kind: 'file', path: second };
  }
  throw usageError(`${JSON.stringify(words.join(' '))} names no BTF`, 'write a name, id 7, or a path');
}

function parseNodeRef(text: string): SpecRef {
  // The path of a socket has slashes itself.
  const slash = text.startsWith('unix:') ? -1 : text.indexOf('/');
  const node = slash === -1 ? text : text.slice(0, slash);
  const object = slash === -1 ? VMLINUX : parseObject(text.slice(slash + 1));
  if (node === '') throw usageError(`@${text} names no node`, 'write @CONTEXT or @ADDRESS');
  return { kind: 'object', node, object };
}

function parseObject(text: string): ObjectRef {
  if (text === '') throw usageError('an empty text names no object');
  if (!text.startsWith('id:')) return { kind: 'name', name: text };
  const id = Number(text.slice(3));
  if (!/^id:\d+$/.test(text) || id < 1 || id > 0xffff_ffff) {
    throw usageError(`${text} is no BTF id`, 'write a number from 1 on, such as id:7');
  }
  return { kind: 'id', id };
}

/** formatObjectRef writes the SPEC of an object as {@link parseSpecRef} reads it. */
export function formatObjectRef({ node, object: ref }: Extract<SpecRef, { kind: 'object' }>): string {
  const object = ref.kind === 'id' ? `id:${ref.id}` : ref.name;
  if (node === null) return object;
  return object === 'vmlinux' ? `@${node}` : `@${node}/${object}`;
}

/** objectName is what an object is called: its name, or `id:7` where it has none. */
export function objectName({ id, name }: HandleInfo): string {
  return name === '' ? `id:${id}` : name;
}
