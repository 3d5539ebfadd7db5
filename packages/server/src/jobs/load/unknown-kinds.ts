import { BtfFormatError, Kind, parseHeader, type Spec, type TypeId } from '@btfd/btf';

/** Types looked at in a step: a few milliseconds. */
const TYPES_PER_STEP = 100_000;

/** An entry of a layout section: the bytes that a type of the kind has once, and for each element; then flags. */
const LAYOUT_ENTRY_BYTES = 4;

const KNOWN: ReadonlySet<number> = new Set(Object.values(Kind));
const LAST_KNOWN = Math.max(...KNOWN);

/** KindLayout is the layout section of BTF: how large types of each kind are. Without entries where there is none. */
export type KindLayout = Uint8Array;

/**
 * layoutOf reads the layout section of BTF.
 *
 * @throws BtfFormatError for a header that is none.
 */
export function layoutOf(rawBtf: Uint8Array): KindLayout {
  const { layout } = parseHeader(rawBtf);
  return rawBtf.slice(layout.offset, layout.offset + layout.length);
}

/** hasNewKinds tells whether BTF comes with the sizes of kinds that are unknown here. */
export function hasNewKinds(rawBtf: Uint8Array): boolean {
  try {
    return layoutOf(rawBtf).length > (LAST_KNOWN + 1) * LAYOUT_ENTRY_BYTES;
  } catch (error) {
    if (error instanceof BtfFormatError) return false;
    throw error;
  }
}

/**
 * unjudgedType finds a type whose size is only what the BTF itself says. Were that a lie, the kernel would read other
 * types behind it than we do. So of kinds that are unknown here, those can be passed over whose size the kernel's own
 * BTF tells alike.
 *
 * @returns null where there is no such type. It yields where others may have a turn.
 */
export function* unjudgedType(spec: Spec, kernelLayout: KindLayout): Generator<null, TypeId | null, void> {
  const layout = layoutOf(spec.bytes);
  for (let id = 1; id < spec.endTypeId; id++) {
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
