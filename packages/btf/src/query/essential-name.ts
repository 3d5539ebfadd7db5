/**
 * essentialName is a name without its flavour: `task_struct___v58` is a flavour of `task_struct`, one of
 * several local definitions of the same kernel type. The flavour begins at the last three underscores that
 * have another character on either side, as libbpf's bpf_core_essential_name_len defines it.
 */
export function essentialName(name: string): string {
  return name.slice(0, essentialLength(name));
}

/** flavourOf is what follows the three underscores; empty for a name without flavour. See {@link essentialName}. */
export function flavourOf(name: string): string {
  return name.slice(essentialLength(name) + 3);
}

function essentialLength(name: string): number {
  for (let at = name.length - 5; at >= 0; at--) {
    if (name[at] !== '_' && name.startsWith('___', at + 1) && name[at + 4] !== '_') return at + 1;
  }
  return name.length;
}
