import { BtfReadError } from '../../format-error.js';
import { declarationOf } from '../../print/type-name.js';
import type { Spec } from '../../spec.js';
import type { TypeId } from '../../types.js';
import type { FoundType } from '../kernel-objects.js';
import type { Need, NeedKind } from '../report.js';
import type { Verdict } from '../verdict.js';

/** NeedParts are the parts of a need that are not as usual. */
export interface NeedParts extends Partial<Omit<Need, 'kind' | 'name' | 'verdict' | 'reason'>> {
  readonly found?: FoundType | null;
}

/** need makes a need. By default it is found nowhere and has no line. */
export function need(
  kind: NeedKind,
  name: string,
  [verdict, reason]: readonly [Verdict, string],
  { found = null, ...parts }: NeedParts = {},
): Need {
  return {
    kind,
    name,
    optional: false,
    verdict,
    object: found?.name ?? null,
    typeId: found?.typeId ?? null,
    local: '',
    target: '',
    source: null,
    reason,
    near: [],
    ...parts,
  };
}

/** FITS is the verdict of what the kernel has. */
export const FITS = ['FITS', ''] as const satisfies readonly [Verdict, string];

/** declarations returns both declarations of something that differs, as C writes them. */
export function declarations(
  local: Spec,
  localId: TypeId,
  { spec, typeId }: FoundType,
): { readonly local: string; readonly target: string } {
  return { local: wordsFor(local, localId), target: wordsFor(spec, typeId) };
}

/** Types that C cannot write have no words. */
function wordsFor(spec: Spec, id: TypeId): string {
  try {
    return declarationOf(spec, id);
  } catch (error) {
    if (error instanceof BtfReadError) return '';
    throw error;
  }
}
