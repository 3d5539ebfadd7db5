import type { Random } from 'test-tools/random';
import { resolveRelocations } from '../core/resolve.js';
import { parseHeader } from '../header.js';
import { parseBpfObject } from '../object/bpf-object.js';
import type { Spec } from '../spec.js';

/** One of so many names is replaced: programs of which many are missing fail for the first. */
const RENAMED_IN = 8;

/** Names by which loaders read definitions of maps. */
const MAP_NAMES = new Set([
  'type',
  'key',
  'value',
  'values',
  'max_entries',
  'map_flags',
  'key_size',
  'value_size',
]);

/**
 * renameMembers renames some of the members and values that the relocations of an object refer to, so that the kernel has no
 * such members. The object stays as it is otherwise.
 *
 * @returns a copy of the object, and the names that were replaced.
 */
export function renameMembers(
  bytes: Uint8Array,
  kernel: Spec,
  random: Random,
): { readonly bytes: Uint8Array; readonly names: readonly string[] } {
  const copy = bytes.slice();
  const object = parseBpfObject(bytes);
  const section = object.elf.section('.BTF');
  const { strings } = parseHeader(object.spec.bytes);
  const others = namesOfOthers(object.spec);
  const names = new Set<string>();
  for (const { local } of resolveRelocations(object, { kernel }).relocations) {
    const name = /[.:]([a-z_]\w*)(\[\d+\])?$/i.exec(local?.text ?? '')?.[1];
    if (name !== undefined && !MAP_NAMES.has(name) && !others.has(name) && random(RENAMED_IN) === 0)
      names.add(name);
  }
  const table = Buffer.from(
    object.spec.bytes.buffer,
    object.spec.bytes.byteOffset + strings.offset,
    strings.length,
  );
  for (const name of names) {
    const at = table.indexOf(`\0${name}\0`, 0, 'utf8');
    // The last character becomes one that names seldom have.
    if (at >= 0) copy[(section?.offset ?? 0) + strings.offset + at + name.length] = 0x5a;
  }
  return { bytes: copy, names: [...names] };
}

/** The names of types, functions and variables, which must stay. */
function namesOfOthers(spec: Spec): ReadonlySet<string> {
  const names = new Set<string>();
  for (const type of spec) names.add(type.name);
  return names;
}
