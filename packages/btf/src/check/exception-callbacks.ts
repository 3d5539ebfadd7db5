import type { BpfObject } from '../object/bpf-object.js';
import type { BpfProgram } from '../object/programs.js';
import { isHidden } from '../object/visibility.js';
import type { Spec } from '../spec.js';
import { Kind } from '../types.js';

/** The declaration tag by which a program names the function that runs when it throws. */
const TAG = 'exception_callback:';

/** ExceptionCallback is the function that a program names for exceptions. */
export interface ExceptionCallback {
  readonly name: string;
  /** Null if the object has no such function that the verifier takes. */
  readonly program: BpfProgram | null;
}

/**
 * exceptionCallbacks returns the callbacks of programs, by the names of programs. Nothing calls them: libbpf appends them to
 * their program, and the verifier checks them. Modelled on `bpf_prog_assign_exc_cb` of libbpf.
 */
export function exceptionCallbacks(
  { spec, symbols }: BpfObject,
  programs: readonly BpfProgram[],
): ReadonlyMap<string, ExceptionCallback> {
  const tags = tagsOf(spec);
  if (tags.size === 0) return new Map();
  const hidden = new Set(symbols.filter(isHidden).map(({ name }) => name));
  const usable = programs.filter((own) => own.isSubprogram && own.isGlobal && !hidden.has(own.name));
  const byName = new Map(usable.map((program) => [program.name, program]));
  return new Map([...tags].map(([root, name]) => [root, { name, program: byName.get(name) ?? null }]));
}

/** The names of callbacks, by the names of the functions that have the tag. */
function tagsOf(spec: Spec): ReadonlyMap<string, string> {
  const tags = new Map<string, string>();
  for (const id of spec.typeIds()) {
    if (spec.kindOf(id) !== Kind.DECL_TAG || !spec.nameOf(id).startsWith(TAG)) continue;
    const tag = spec.typeById(id);
    if (tag.kind !== 'DECL_TAG' || tag.componentIdx !== -1 || tag.typeId >= spec.endTypeId) continue;
    tags.set(spec.nameOf(tag.typeId), tag.name.slice(TAG.length));
  }
  return tags;
}
