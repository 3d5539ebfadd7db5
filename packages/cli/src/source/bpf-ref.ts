import type { BpfMap, BpfObject, HandleInfo } from '@btfd/client';
import type { TypeId } from '@btfd/btf';
import { CliError, notFound, usageError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { type ObjectRef, parseObject } from './spec-ref.js';

/** MAP_TYPES are the words of bpftool that choose types of a map's BTF. */
export const MAP_TYPES = ['key', 'value', 'kv', 'all'] as const;

/** MapTypes are the types of a map's BTF to choose: of its keys, its values, both, or all types. */
export type MapTypes = (typeof MAP_TYPES)[number];

const NOUNS = { prog: 'program', map: 'map' } as const;

/** BpfRef names a program or a map of the kernel of a node. */
export interface BpfRef {
  readonly kind: 'prog' | 'map';
  readonly object: ObjectRef;
  /** `all` for a program. */
  readonly types: MapTypes;
}

/** FoundBpf is the BTF object that a program or a map was loaded with. */
export interface FoundBpf {
  readonly btfId: number;
  /** The chosen types of a map, 0 for one that the map does not have; null for all types. */
  readonly roots: readonly TypeId[] | null;
}

/**
 * parseBpfWords parses the words of bpftool for a program or a map: `prog id 7`, `map name counters value`. It also takes
 * `prog 7` and `prog trace`. Returns null if the words name neither, and the words after them as `rest`.
 *
 * @throws CliError USAGE for the other ways in which bpftool names programs and maps.
 */
export function parseBpfWords(
  words: readonly string[],
): { readonly ref: BpfRef; readonly rest: readonly string[] } | null {
  const [kind, first, second = ''] = words;
  if ((kind !== 'prog' && kind !== 'map') || first === undefined) return null;
  if (first === 'tag' || first === 'pinned') {
    throw usageError(`"${kind} ${first}" is not supported`, `use ${kind} id ID or ${kind} name NAME`);
  }
  const isNamed = first === 'id' || first === 'name';
  if (isNamed && second === '') throw usageError(`${kind} ${first} needs a value`);
  const text = isNamed ? second : first;
  const object: ObjectRef =
    first === 'name'
      ? { kind: 'name', name: text }
      : parseObject(first === 'id' ? `id:${text}` : text, `${NOUNS[kind]} id`);
  const rest = words.slice(isNamed ? 3 : 2);
  if (kind === 'prog') return { ref: { kind, object, types: 'all' }, rest };
  const types = MAP_TYPES.find((one) => one === rest[0]);
  return { ref: { kind, object, types: types ?? 'kv' }, rest: types === undefined ? rest : rest.slice(1) };
}

/** formatBpfRef returns a program or a map in the words that {@link parseBpfWords} parses. */
export function formatBpfRef({ kind, object }: Pick<BpfRef, 'kind' | 'object'>): string {
  return object.kind === 'id' ? `${kind} id ${object.id}` : `${kind} name ${JSON.stringify(object.name)}`;
}

/** The kernel cuts off a longer name, which has only ASCII characters. */
const NAME_LENGTH = 15;

/**
 * findBpfObject finds the BTF object of a program or a map.
 *
 * @param infos the objects of the kernel, with their users.
 * @throws CliError NOT_FOUND if none, or several, have that name or id; FAILURE if the daemon does not report the types
 *   of a map.
 */
export function findBpfObject(infos: readonly HandleInfo[], ref: BpfRef): FoundBpf {
  const { kind, object } = ref;
  // As the kernel keeps it.
  const cut = object.kind === 'id' ? '' : object.name.slice(0, NAME_LENGTH);
  const found = infos
    .flatMap((info) => usersOf(info, ref))
    .filter(({ id, name }) => (object.kind === 'id' ? id === object.id : name === cut));
  const [only, ...others] = found;
  if (only === undefined) {
    throw notFound(
      `no ${NOUNS[kind]} with BTF has the ${object.kind} ${object.kind === 'id' ? object.id : JSON.stringify(object.name)}`,
      '`btfctl list -o wide` lists the programs and maps that have BTF',
    );
  }
  if (others.length > 0) {
    const ids = found.map(({ id }) => id).toSorted((a, b) => a - b);
    throw notFound(
      `${found.length} ${NOUNS[kind]}s have the name ${JSON.stringify(cut)}: ${ids.join(', ')}`,
      `name one by its id: \`btfctl dump ${kind} id ID\``,
    );
  }
  const { id, btfId, roots } = only;
  if (roots === undefined) {
    throw new CliError(
      ExitCode.FAILURE,
      `the daemon is too old to report the types of ${formatBpfRef(ref)}`,
      `print all types of its BTF: \`btfctl dump map id ${id} all\``,
    );
  }
  return { btfId, roots };
}

interface User extends BpfObject {
  readonly btfId: number;
  /** The chosen types; null for all, undefined if the daemon does not report them. */
  readonly roots: readonly TypeId[] | null | undefined;
}

/** Returns the programs or the maps that use an object. */
function usersOf({ id: btfId, users }: HandleInfo, { kind, types }: BpfRef): User[] {
  if (users === null) return [];
  if (kind === 'prog') return users.programs.map((program) => ({ ...program, btfId, roots: null }));
  return users.maps.map((map) => ({ ...map, btfId, roots: mapRoots(map, types) }));
}

function mapRoots({ keyTypeId, valueTypeId }: BpfMap, types: MapTypes): User['roots'] {
  if (types === 'all') return null;
  if (keyTypeId === null || valueTypeId === null) return undefined;
  return { key: [keyTypeId], value: [valueTypeId], kv: [keyTypeId, valueTypeId] }[types];
}
