import { type Spec, typesOf } from '../spec.js';
import { type DeclTag, Kind, type TypeId } from '../types.js';

/** DeclTags are the declaration tags of one type. */
export interface DeclTags {
  /** The tags of the type itself, in the order of their ids. */
  readonly own: readonly DeclTag[];
  /** The tags of its members, or of its parameters if it is a function, by their index. */
  readonly components: ReadonlyMap<number, readonly DeclTag[]>;
}

/** The declaration tags of one spec without its base, sorted by the type that they tag, then by their ids. */
interface TagIndex {
  readonly tagIds: Uint32Array;
  /** The type that each of them tags. */
  readonly targets: Uint32Array;
}

const found = new WeakMap<Spec, TagIndex>();

/**
 * declTagsOf returns the declaration tags (`__attribute__((btf_decl_tag("…")))`) of a type and of its members or
 * parameters. The kernel marks its kfuncs this way (`bpf_kfunc`). Split BTF may tag types of its base; its tags come
 * after those of the base.
 *
 * The first call on a spec reads the kinds of all types.
 *
 * @throws BtfLookupError `NOT_FOUND` if there is no such id.
 * @throws BtfFormatError `MALFORMED` if the name of a tag lies outside the string section.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if the name of a tag is too long.
 */
export function declTagsOf(spec: Spec, id: TypeId): DeclTags {
  spec.kindOf(id);
  const own: DeclTag[] = [];
  const components = new Map<number, DeclTag[]>();
  for (const tag of tagsOf(spec, id)) {
    const tags = tag.componentIdx === -1 ? own : (components.get(tag.componentIdx) ?? []);
    if (tags.length === 0 && tag.componentIdx !== -1) components.set(tag.componentIdx, tags);
    tags.push(tag);
  }
  return { own, components };
}

function* tagsOf(spec: Spec, id: TypeId): Generator<DeclTag, void, undefined> {
  if (spec.base !== null) yield* tagsOf(spec.base, id);
  let index = found.get(spec);
  if (index === undefined) {
    index = indexTags(spec);
    found.set(spec, index);
  }
  const { targets, tagIds } = index;
  for (let at = firstAtLeast(targets, id); targets[at] === id; at++) {
    const tag = spec.typeById(tagIds[at] ?? 0);
    if (tag.kind === 'DECL_TAG') yield tag;
  }
}

function indexTags(spec: Spec): TagIndex {
  const { source, offsets } = typesOf(spec);
  const target = (id: TypeId): TypeId => source.words.u32((offsets[id - spec.firstTypeId] ?? 0) + 8);
  const tags: TypeId[] = [];
  for (const id of spec.typeIds()) {
    if (spec.kindOf(id) === Kind.DECL_TAG) tags.push(id);
  }
  const tagIds = Uint32Array.from(tags).toSorted((a, b) => target(a) - target(b) || a - b);
  return { tagIds, targets: tagIds.map(target) };
}

function firstAtLeast(targets: Uint32Array, id: TypeId): number {
  let low = 0;
  let high = targets.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((targets[middle] ?? 0) < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
