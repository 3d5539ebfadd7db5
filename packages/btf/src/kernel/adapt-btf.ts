import { Builder } from '../build/builder.js';
import { isDowngraded } from '../build/downgrade.js';
import { parseHeader } from '../header.js';
import { Spec } from '../spec.js';
import { type KernelFeatures, marshalOptionsFor } from './kernel-features.js';

/** The header before Linux 7.1, and the fields of the layout section after it. */
const SHORT_HEADER = 24;
const LONG_HEADER = 32;

/**
 * adaptBtf rewrites BTF for a kernel that lacks features, so that the kernel accepts it: with types that the kernel
 * knows in place of those that it does not. {@link FEATURE_ROWS} has the rewriting of each feature. Types keep their ids.
 * Checks that the kernel makes, such as those of special fields, are not evaded.
 *
 * Modelled on `bpf_object__sanitize_btf` of libbpf, and on `btf.MarshalOptions` of cilium/ebpf.
 *
 * @param features the features of the kernel, as probed or of a release. Absent features count as present.
 * @returns the same array if there is nothing to rewrite.
 * @throws BtfFormatError `MALFORMED` or `LIMIT_EXCEEDED` as `Spec.parse` does.
 * @throws BtfFormatError `MISSING_BASE` for split BTF, which BPF_BTF_LOAD does not take.
 * @throws BtfFormatError `UNSUPPORTED` for an unknown version, flag or header field, and if there is something to
 * rewrite, for a type of an unknown kind.
 * @throws BtfBuildError `LIMIT_EXCEEDED` for too many bytes.
 */
export function adaptBtf(rawBtf: Uint8Array, features: Partial<KernelFeatures>): Uint8Array {
  const spec = Spec.parse(rawBtf);
  const { length, layout } = parseHeader(rawBtf);
  const options = marshalOptionsFor(features);
  // A kernel without the layout section refuses a header whose fields for it are not zero.
  const hasLayout = rawBtf.subarray(SHORT_HEADER, Math.min(length, LONG_HEADER)).some((byte) => byte !== 0);
  const lacksLayout = features.layout === false;
  if (!(hasLayout && lacksLayout) && !isDowngraded(spec, options)) return rawBtf;
  const builder = new Builder({ deduplicate: false });
  builder.addAllFrom(spec, spec.typeIds());
  return builder.marshal({
    ...options,
    byteOrder: spec.byteOrder,
    layout: layout.length > 0 && !lacksLayout,
    // The kernel refuses a type that has too many elements for it.
    wideVlen: true,
  });
}
