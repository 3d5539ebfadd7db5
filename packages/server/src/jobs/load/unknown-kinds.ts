import { Kind, type Spec, type TypeId } from '@btfd/btf';
import { LAYOUT_ENTRY_BYTES, layoutOf, type KindLayout } from '../../base/kind-layout.js';

/** Types per step: a few milliseconds. */
const TYPES_PER_STEP = 100_000;

const KNOWN: ReadonlySet<number> = new Set(Object.values(Kind));

/**
 * unknownSizeType returns the first type whose size cannot be verified, or null if there is none.
 * A type of an unknown kind has only the size that the BTF itself states. If the stated size were wrong, the kernel would
 * parse the following types differently. Unknown kinds are therefore accepted only if the layout section of the kernel's
 * own BTF states the same size. The generator yields when other jobs may have a turn.
 */
export function* unknownSizeType(spec: Spec, kernelLayout: KindLayout): Generator<null, TypeId | null, void> {
  const layout = layoutOf(spec.bytes);
  for (const id of spec.typeIds()) {
    if (id % TYPES_PER_STEP === 0) yield null;
    const kind = spec.kindOf(id);
    if (!KNOWN.has(kind) && !sizesAgree(layout, kernelLayout, kind)) return id;
  }
  return null;
}

function sizesAgree(layout: KindLayout, kernelLayout: KindLayout, kind: number): boolean {
  const at = kind * LAYOUT_ENTRY_BYTES;
  if (at + LAYOUT_ENTRY_BYTES > Math.min(layout.length, kernelLayout.length)) return false;
  return layout[at] === kernelLayout[at] && layout[at + 1] === kernelLayout[at + 1];
}
