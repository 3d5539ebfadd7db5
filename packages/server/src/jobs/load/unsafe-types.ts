import { Kind, type TypeId } from '@btfd/btf';
import type { RawBtf } from './raw-btf.js';

/** Types and parameters visited in a step: a few milliseconds. */
const PARAMS_PER_STEP = 100_000;

const PARAM_WORDS = 2;

/** UnsafeType is a type on which some kernels crash or print a warning. */
export interface UnsafeType {
  readonly typeId: TypeId;
  /** Continues a sentence that begins with the type. */
  readonly problem: string;
  /** Advice to the caller. */
  readonly remedy: string;
}

/**
 * unsafeType returns the first type whose name or references some kernels do not check correctly, or null. Fixed kernels
 * refuse all of them. The generator yields when other jobs may have a turn.
 *
 * - Before 6.0.7 (5.10.163) the kernel warns if a prototype refers to a declaration tag, which has no size.
 * - From 6.9 until 6.10.9 it reads beyond the empty name of a section.
 */
export function* unsafeType(btf: RawBtf): Generator<null, UnsafeType | null, void> {
  let visited = 0;
  for (let id = 1; id < btf.end; id++) {
    const kind = btf.kind(id);
    visited += kind === Kind.FUNC_PROTO ? 1 + btf.vlen(id) : 1;
    if (visited >= PARAMS_PER_STEP) {
      visited = 0;
      yield null;
    }
    if (kind === Kind.FUNC_PROTO && refersToTag(btf, id)) {
      const problem = 'has a declaration tag in place of the type of a parameter or of its result';
      return { typeId: id, problem, remedy: 'refer to a type that has a size' };
    }
    if (kind === Kind.DATASEC && btf.nameLength(btf.nameOffset(id)) === 0) {
      return { typeId: id, problem: 'is a section without a name', remedy: 'give it a name' };
    }
  }
  return null;
}

function refersToTag(btf: RawBtf, id: TypeId): boolean {
  if (btf.kind(btf.third(id)) === Kind.DECL_TAG) return true;
  const count = btf.vlen(id);
  for (let index = 0; index < count; index++) {
    if (btf.kind(btf.element(id, PARAM_WORDS, index, 1)) === Kind.DECL_TAG) return true;
  }
  return false;
}
