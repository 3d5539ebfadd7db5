import type { BpfMap, BpfObject, HandleInfo } from '@btfd/client';
import type { Spec, TypeId } from '@btfd/btf';
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
  /** `all` for a program. Null for a map whose types are not chosen: those of its keys and values, as `kv`. */
  readonly types: MapTypes | null;
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
 * @throws CliError USAGE for the other ways in which bpftool names programs and maps, and for a name that no map can have.
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
  if (kind === 'map' && object.kind === 'name' && isLong(object.name)) {
    throw usageError(
      `${JSON.stringify(object.name)} is not the name of a map: it has more than ${NAME_LENGTH} characters`,
      LIST_HINT,
    );
  }
  const rest = words.slice(isNamed ? 3 : 2);
  if (kind === 'prog') return { ref: { kind, object, types: 'all' }, rest };
  const types = MAP_TYPES.find((one) => one === rest[0]) ?? null;
  return { ref: { kind, object, types }, rest: types === null ? rest : rest.slice(1) };
}

/** wordsAfter returns the words of bpftool that may follow a program or a map in `dump`. */
export function wordsAfter({ types }: BpfRef): readonly string[] {
  if (types === 'all') return ['format', 'root_id'];
  return types === null ? [...MAP_TYPES, 'format'] : ['format'];
}

/** formatBpfRef returns a program or a map in the words that {@link parseBpfWords} parses. */
export function formatBpfRef({ kind, object }: Pick<BpfRef, 'kind' | 'object'>): string {
  return object.kind === 'id' ? `${kind} id ${object.id}` : `${kind} name ${JSON.stringify(object.name)}`;
}

/** The kernel keeps so many characters of the name of a program, and refuses a longer name of a map. */
const NAME_LENGTH = 15;

function isLong(name: string): boolean {
  return name.length > NAME_LENGTH;
}

const LIST_HINT = '`btfctl list -o wide` lists the programs and maps that have BTF';

/**
 * findBpfObject finds the BTF object of a program or a map. Programs with the first 15 characters of a longer name are taken if
 * their BTF has a function of that name, which is where bpftool reads it, too.
 *
 * @param infos the objects of the kernel, with their users.
 * @param specOf reads the BTF object with an id.
 * @throws CliError NOT_FOUND if none, or several, have that name or id; FAILURE if the daemon does not report the types
 *   of a map.
 */
export async function findBpfObject(
  infos: readonly HandleInfo[],
  ref: BpfRef,
  specOf: (btfId: number) => Promise<Spec>,
): Promise<FoundBpf> {
  const { kind, object } = ref;
  const users = infos.flatMap((info) => usersOf(info, ref));
  const found =
    object.kind === 'id'
      ? users.filter(({ id }) => id === object.id)
      : isLong(object.name)
        ? await withFunction(users, object.name, specOf)
        : users.filter(({ name }) => name === object.name);
  const [only, ...others] = found;
  const named = `the ${object.kind} ${object.kind === 'id' ? object.id : JSON.stringify(object.name)}`;
  if (only === undefined) {
    throw notFound(`no ${NOUNS[kind]} with BTF has ${named}`, LIST_HINT);
  }
  // The programs of one object file share their BTF, and the first characters of long names.
  const isOne =
    object.kind === 'name' && isLong(object.name) && others.every(({ btfId }) => btfId === only.btfId);
  if (others.length > 0 && !isOne) {
    const ids = found.map(({ id }) => id).toSorted((a, b) => a - b);
    throw notFound(
      `${found.length} ${NOUNS[kind]}s have ${named}: ${ids.join(', ')}`,
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

/** Returns the programs whose names may be a long one. Reads each BTF object once. */
async function withFunction(
  users: readonly User[],
  name: string,
  specOf: (btfId: number) => Promise<Spec>,
): Promise<User[]> {
  const candidates = users.filter((user) => user.name === name.slice(0, NAME_LENGTH));
  const having = new Set<number>();
  for (const btfId of new Set(candidates.map((user) => user.btfId))) {
    const spec = await specOf(btfId);
    if (spec.idsByName(name).some((id) => spec.typeById(id).kind === 'FUNC')) having.add(btfId);
  }
  return candidates.filter(({ btfId }) => having.has(btfId));
}

/** Returns the programs or the maps that use an object. */
function usersOf({ id: btfId, users }: HandleInfo, { kind, types }: BpfRef): User[] {
  if (users === null) return [];
  if (kind === 'prog') return users.programs.map((program) => ({ ...program, btfId, roots: null }));
  return users.maps.map((map) => ({ ...map, btfId, roots: mapRoots(map, types) }));
}

function mapRoots({ keyTypeId, valueTypeId }: BpfMap, types: BpfRef['types']): User['roots'] {
  if (types === 'all') return null;
  if (keyTypeId === null || valueTypeId === null) return undefined;
  return { key: [keyTypeId], value: [valueTypeId], kv: [keyTypeId, valueTypeId] }[types ?? 'kv'];
}
