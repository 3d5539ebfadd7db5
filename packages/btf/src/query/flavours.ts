import type { Spec } from '../spec.js';
import type { Type, TypeId } from '../types.js';

/** The own types of a spec whose name has a flavour, by their essential name. */
type Flavours = ReadonlyMap<string, readonly TypeId[]>;

const found = new WeakMap<Spec, Flavours>();

/**
 * typesByEssentialName decodes the types with a name in any flavour or none: `task_struct` also finds
 * `task_struct___v58`. The order is that of their ids, with those of the base first.
 *
 * The first call on a spec reads the names of all types, and keeps those with a flavour. Names of more than 512
 * characters, which no kernel accepts, count as names without a flavour.
 *
 * @param name an essential name; a flavour in it is ignored.
 * @throws BtfFormatError `MALFORMED` if the name of any type lies outside the string section.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if the name of any type is too long.
 */
export function typesByEssentialName(spec: Spec, name: string): Type[] {
  const essential = essentialName(name);
  const ids = [...spec.idsByName(essential), ...flavoursOf(spec, essential)];
  return ids.toSorted((a, b) => a - b).map((id) => spec.typeById(id));
}

function flavoursOf(spec: Spec, name: string): TypeId[] {
  const ofBase = spec.base === null ? [] : flavoursOf(spec.base, name);
  let flavours = found.get(spec);
  if (flavours === undefined) {
    flavours = searchFlavours(spec);
    found.set(spec, flavours);
  }
  return [...ofBase, ...(flavours.get(name) ?? [])];
}

/**
 * The kernel's KSYM_NAME_LEN: it does not accept longer names. Types may share one name, which must not cost its length
 * for each.
 */
const LONGEST_NAME = 512;

function searchFlavours(spec: Spec): Flavours {
  const flavours = new Map<string, TypeId[]>();
  for (const id of spec.typeIds()) {
    const name = spec.nameOf(id);
    if (name.length > LONGEST_NAME || !name.includes('___')) continue;
    const essential = essentialName(name);
    if (essential === name) continue;
    const ids = flavours.get(essential);
    if (ids === undefined) flavours.set(essential, [id]);
    else ids.push(id);
  }
  return flavours;
}

/**
 * essentialName returns a name without its flavour: `task_struct___v58` is a flavour of `task_struct`, one of several
 * local definitions of the same kernel type. The flavour begins at the last three underscores with another character on
 * both sides. Modelled on libbpf's `bpf_core_essential_name_len`.
 */
export function essentialName(name: string): string {
  return name.slice(0, essentialLength(name));
}

/**
 * flavourOf returns the part of a name after the three underscores; empty for a name without a flavour. See {@link
 * essentialName}.
 */
export function flavourOf(name: string): string {
  return name.slice(essentialLength(name) + 3);
}

function essentialLength(name: string): number {
  for (let at = name.length - 5; at >= 0; at--) {
    if (name[at] !== '_' && name.startsWith('___', at + 1) && name[at + 4] !== '_') return at + 1;
  }
  return name.length;
}
