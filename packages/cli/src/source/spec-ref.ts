import type { HandleInfo } from '@btfd/client';
import { usageError } from '../error/cli-error.js';
import { withoutCompression } from './compression.js';

/** STANDARD_INPUT is the path that stands for standard input. */
export const STANDARD_INPUT = '-';

/** SYSFS is the folder in which Linux shows its own BTF, and that of its modules, which is split from vmlinux. */
export const SYSFS = '/sys/kernel/btf';

/** ObjectRef names an object of a kernel. */
export type ObjectRef =
  { readonly kind: 'name'; readonly name: string } | { readonly kind: 'id'; readonly id: number };

/** SpecRef names an object of a node, or a file. */
export type SpecRef =
  | {
      readonly kind: 'object';
      /** A context or an address; null for the node of the command. */
      readonly node: string | null;
      readonly object: ObjectRef;
    }
  | { readonly kind: 'file'; readonly path: string };

/** SPEC_HELP describes a SPEC in the help of commands. */
export const SPEC_HELP = `SPEC is one of
  vmlinux, or the name of a module
  id:7, or 7      the object with this BTF id
  @NODE           the vmlinux of another node: a context or an address
  @NODE/SPEC      another object of that node, such as @web1/nf_tables
  ./vmlinux.btf   the path of a file, raw BTF or ELF; - is standard input`;

const VMLINUX: ObjectRef = { kind: 'name', name: 'vmlinux' };

/** Endings of file names that need no slash, also of compressed files. */
const FILE_NAME = /\.(?:btf|o|ko|elf|bpf)$/;

/**
 * parseSpecRef parses a SPEC.
 *
 * @throws CliError USAGE if it is invalid.
 */
export function parseSpecRef(text: string): SpecRef {
  if (text === '') throw usageError('the SPEC is empty');
  if (text.startsWith('@')) return parseNodeRef(text.slice(1));
  if (text.startsWith('unix:')) return { kind: 'object', node: text, object: VMLINUX };
  const path = text.startsWith('file:') ? text.slice('file:'.length) : null;
  if (path !== null) return { kind: 'file', path };
  if (text === STANDARD_INPUT) return { kind: 'file', path: text };
  if (text.startsWith('id:')) return { kind: 'object', node: null, object: parseObject(text) };
  if (/^(?:\[[^\]/]+\]|[^:/]+):\d+$/.test(text)) return { kind: 'object', node: text, object: VMLINUX };
  if (text.includes('/') || isFileName(text)) return { kind: 'file', path: text };
  return { kind: 'object', node: null, object: parseObject(text) };
}

/** isFileName reports whether a SPEC without a slash is the name of a file. */
export function isFileName(text: string): boolean {
  return FILE_NAME.test(withoutCompression(text));
}

/**
 * parseSpecWords parses one or more SPECs, or the words of bpftool for them: `id 7`, `file PATH file PATH`.
 *
 * @throws CliError USAGE if one is invalid, or bpftool's word for a program or a map.
 */
export function parseSpecWords(words: readonly string[]): SpecRef[] {
  const refs: SpecRef[] = [];
  for (let at = 0; at < words.length; at++) {
    const [word = '', next] = words.slice(at);
    if (word === 'prog' || word === 'map') {
      throw usageError(
        `${JSON.stringify(word)} is not a SPEC`,
        `print the BTF of one ${word === 'prog' ? 'program' : 'map'}: \`btfctl dump ${word} id ID\``,
      );
    }
    if (next !== undefined && (word === 'id' || word === 'file')) {
      refs.push(word === 'id' ? parseSpecRef(`id:${next}`) : { kind: 'file', path: next });
      at += 1;
    } else {
      refs.push(parseSpecRef(word));
    }
  }
  return refs;
}

/** objectWithId returns the SPEC of the object with a BTF id, of the node of the command. */
export function objectWithId(id: number): SpecRef {
  return { kind: 'object', node: null, object: { kind: 'id', id } };
}

function parseNodeRef(text: string): SpecRef {
  // The path of a socket has slashes too.
  const slash = text.startsWith('unix:') ? -1 : text.indexOf('/');
  const node = slash === -1 ? text : text.slice(0, slash);
  const object = slash === -1 ? VMLINUX : parseObject(text.slice(slash + 1));
  if (node === '') throw usageError(`@${text} does not name a node`, 'use @CONTEXT or @ADDRESS');
  return { kind: 'object', node, object };
}

/**
 * parseObject parses a name, or an id: `id:7` or `7`.
 *
 * @param idNoun what the id is, in an error.
 * @throws CliError USAGE if it is empty, or not a valid id after `id:`.
 */
export function parseObject(text: string, idNoun = 'BTF id'): ObjectRef {
  if (text === '') throw usageError('the name of the object is empty');
  // No module has a name of digits alone.
  const number = text.startsWith('id:') ? text.slice('id:'.length) : text;
  const isDigits = /^\d+$/.test(number);
  if (!isDigits && number === text) return { kind: 'name', name: text };
  const id = isDigits ? Number(number) : 0;
  if (id < 1 || id > 0xffff_ffff) {
    throw usageError(`${JSON.stringify(number)} is not a ${idNoun}`, 'use a positive number, such as 7');
  }
  return { kind: 'id', id };
}

/** formatObjectRef returns the SPEC of an object that {@link parseSpecRef} parses. */
export function formatObjectRef({ node, object: ref }: Extract<SpecRef, { kind: 'object' }>): string {
  const object = ref.kind === 'id' ? `id:${ref.id}` : ref.name;
  if (node === null) return object;
  return object === 'vmlinux' ? `@${node}` : `@${node}/${object}`;
}

/** underscoreHint returns a hint for a name of a module with dashes, which only modprobe takes; null for other names and globs. */
export function underscoreHint(name: string): string | null {
  if (!/^[\w-]*-[\w-]*$/.test(name)) return null;
  return `names of modules have "_" in place of "-": try ${name.replaceAll('-', '_')}`;
}

/** objectName returns the SPEC of an object: its name, or `id:7` if it has no name. */
export function objectName({ id, name }: HandleInfo): string {
  return name === '' ? `id:${id}` : name;
}
