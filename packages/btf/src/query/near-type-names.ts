import { BtfFormatError } from '../format-error.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { nearNames } from './near-names.js';

/** Types to look at: more than any kernel has. */
const MAX_TYPES = 2 ** 18;

/** Of a kernel's thousands of names some differ little by chance. */
const MOST = 2;

/** NearTypeOptions are the options of {@link nearTypeNames}. */
export interface NearTypeOptions {
  /** The numbers of kinds (see `Kind`) to suggest. Default: all. */
  readonly kinds?: readonly number[] | null;
  /** The first id to look at. Default: 1, the first of the base. */
  readonly firstId?: TypeId;
}

/**
 * nearTypeNames chooses the names of types that a misspelt one may have been meant to be, three at most, nearest first.
 * They begin as it does and are about as long, which leaves few to compare. It looks at a bounded number of types, and
 * suggests nothing where a name is malformed.
 */
export function nearTypeNames(spec: Spec, name: string, options: NearTypeOptions = {}): string[] {
  try {
    return nearNames(name, new Set(candidates(spec, name, options)), MOST);
  } catch (error) {
    if (error instanceof BtfFormatError) return [];
    throw error;
  }
}

function* candidates(
  spec: Spec,
  name: string,
  { kinds = null, firstId = 1 }: NearTypeOptions,
): Generator<string, void, undefined> {
  const end = Math.min(spec.endTypeId, firstId + MAX_TYPES);
  for (let id = firstId; id < end; id++) {
    if (kinds !== null && !kinds.includes(spec.kindOf(id))) continue;
    const other = spec.nameOf(id);
    if (Math.abs(other.length - name.length) > MOST || other === name) continue;
    if (other !== '' && other[0] === name[0]) yield other;
  }
}
