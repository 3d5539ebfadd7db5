import { LAYOUT_ENTRY_BYTES, type KindLayout } from '../../base/kind-layout.js';

/** A word of BTF has 4 bytes. */
const WORD_BYTES = 4;

/** SizeOfKind returns the words of types of a kind after the first three, and of each element; null if nobody knows. */
export type SizeOfKind = (kind: number) => { readonly once: number; readonly each: number } | null;

/**
 * agreedSizes returns the sizes of kinds that the library does not know. A type of such a kind has only the size that the
 * BTF itself states. If the stated size were wrong, the kernel would parse the following types differently. A size
 * therefore counts only if the layout section of the kernel's own BTF states the same.
 */
export function agreedSizes(layout: KindLayout, kernelLayout: KindLayout): SizeOfKind {
  return (kind) => {
    const at = kind * LAYOUT_ENTRY_BYTES;
    if (at + LAYOUT_ENTRY_BYTES > Math.min(layout.length, kernelLayout.length)) return null;
    const once = layout[at] ?? 0;
    const each = layout[at + 1] ?? 0;
    const agrees = once === kernelLayout[at] && each === kernelLayout[at + 1];
    const whole = once % WORD_BYTES === 0 && each % WORD_BYTES === 0;
    return agrees && whole ? { once: once / WORD_BYTES, each: each / WORD_BYTES } : null;
  };
}
