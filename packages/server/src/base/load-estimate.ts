import { Kind } from '@btfd/btf';
import { HOST_ORDER } from './kind-layout.js';

/** LoadEstimate is how long the kernel's check of BTF takes by estimate, in milliseconds. */
export interface LoadEstimate {
  /** If the kernel accepts the BTF. */
  readonly acceptedMs: number;
  /** If it refuses the BTF: it is checked once more, for its log. */
  readonly refusedMs: number;
}

/** The prefix of structs that are special to BPF programs, including those of later kernels. */
export const SPECIAL_STRUCT = 'bpf_';

/**
 * mayHaveSpecialTypes reports whether any string of BTF can be the name of a special type, for which the kernel searches.
 * It reads no types, so the result also holds for BTF with unknown kinds.
 */
export function mayHaveSpecialTypes(rawBtf: Uint8Array): boolean {
  const bytes = Buffer.from(rawBtf.buffer, rawBtf.byteOffset, rawBtf.byteLength);
  return [SPECIAL_STRUCT, 'kptr', 'uptr'].some((part) => bytes.includes(part));
}

/** The kernel takes less than 1 ms for any BTF this small for which it searches nothing, by the measured times of loads.md. */
const PLAIN_BYTES = 2048;

/** PLAIN_ESTIMATE is more than the kernel takes for plain BTF. */
export const PLAIN_ESTIMATE: LoadEstimate = { acceptedMs: 0.3, refusedMs: 1 };

/** Types of these kinds make the kernel search, or are refused in some places. Only a worker looks at them. */
const EXAMINED_KINDS: ReadonlySet<number> = new Set([Kind.DATASEC, Kind.DECL_TAG, Kind.TYPE_TAG]);

/**
 * isPlainBtf reports whether a worker would let BTF pass to the kernel, and the kernel checks it in less than 1 ms, whatever
 * the BTF has. It parses nothing: any word that could begin a type of another kind makes the result false.
 */
export function isPlainBtf(rawBtf: Uint8Array): boolean {
  if (rawBtf.length > PLAIN_BYTES || mayHaveSpecialTypes(rawBtf)) return false;
  const view = new DataView(rawBtf.buffer, rawBtf.byteOffset, rawBtf.byteLength);
  const little = HOST_ORDER === 'little';
  for (let at = 0; at + 4 <= rawBtf.length; at += 4) {
    if (EXAMINED_KINDS.has((view.getUint32(at, little) >>> 24) & 0x7f)) return false;
  }
  // Types begin at a word, except after a header of another length.
  return rawBtf.length >= 8 && view.getUint32(4, little) % 4 === 0;
}

/** A short load takes longer than its check: other processes delay it, and so does the change of threads. */
const SHORTEST_MS = 20;
/** Even a busy machine rarely delays a longer load this much. */
const MISSED_RATIO = 5;

/** estimateRatio returns the time of a load divided by the estimate. Shorter estimates than 20 ms count as 20 ms. */
export function estimateRatio({ tookMs, estimatedMs }: { tookMs: number; estimatedMs: number }): number {
  return tookMs / Math.max(estimatedMs, SHORTEST_MS);
}

/** wasMissed reports whether a load took so much longer than its estimate that the estimate is probably wrong. */
export function wasMissed(times: { tookMs: number; estimatedMs: number }): boolean {
  return estimateRatio(times) > MISSED_RATIO;
}
