import { declTagsOf } from '../query/decl-tags.js';
import type { Spec } from '../spec.js';
import type { DeclTag, TypeId } from '../types.js';

/** TagFact is a declaration tag of a type, or of a parameter of a function. */
export interface TagFact {
  /** As C writes it: `btf_decl_tag("bpf_kfunc")`. */
  readonly text: string;
  /** The index of the parameter; null for the type itself. */
  readonly parameter: number | null;
}

/** tagFacts returns the declaration tags of a type and of its parameters. Those of its members are in their own facts. */
export function tagFacts(spec: Spec, id: TypeId): TagFact[] {
  const { own, components } = declTagsOf(spec, id);
  const ofParameters =
    spec.typeById(id).kind === 'FUNC'
      ? [...components].flatMap(([parameter, tags]) => texts(tags).map((text) => ({ text, parameter })))
      : [];
  const facts = [...texts(own).map((text) => ({ text, parameter: null })), ...ofParameters];
  return facts.toSorted((a, b) => (a.parameter ?? -1) - (b.parameter ?? -1));
}

/** memberTags returns the declaration tags of a type's members, by the index of the member. */
export function memberTags(spec: Spec, id: TypeId): ReadonlyMap<number, readonly string[]> {
  return new Map([...declTagsOf(spec, id).components].map(([index, tags]) => [index, texts(tags)]));
}

/** Returns the texts in alphabetical order, because the order of the ids has no meaning. */
function texts(tags: readonly DeclTag[]): string[] {
  return tags.map(({ name, attribute }) => (attribute ? name : `btf_decl_tag("${name}")`)).toSorted();
}
