import { Builder } from '../build/builder.js';
import { isDowngraded } from '../build/downgrade.js';
import { LONG_HEADER_LENGTH, parseHeader, SHORT_HEADER_LENGTH } from '../header.js';
import { rejectUnknown } from '../notes.js';
import { Spec } from '../spec.js';
import { type KernelFeatures, marshalOptionsFor } from './kernel-features.js';

/**
 * adaptBtf rewrites BTF for a kernel that lacks features, so that the kernel accepts it: with types that the kernel
 * knows in place of those that it does not. {@link FEATURE_ROWS} has the rewriting of each feature. Types keep their ids.
 * Checks that the kernel makes, such as those of special fields, are not evaded. BTF with unknown flags, header fields or
 * sections stays as it is, for the kernel to judge.
 *
 * Modelled on `bpf_object__sanitize_btf` of libbpf, and on `btf.MarshalOptions` of cilium/ebpf.
 *
 * @param features the features of the kernel, as probed or of a release. Absent features count as present.
 * @returns the same array if there is nothing to rewrite.
 * @throws BtfFormatError `MALFORMED` or `LIMIT_EXCEEDED` as `Spec.parse` does.
 * @throws BtfFormatError `MISSING_BASE` for split BTF, which BPF_BTF_LOAD does not take.
 * @throws BtfFormatError `UNSUPPORTED` for an unknown version, and if there is something to rewrite, for an unknown flag,
 * header field or section, and for a type of an unknown kind.
 * @throws BtfBuildError `LIMIT_EXCEEDED` for too many bytes.
 */
export function adaptBtf(rawBtf: Uint8Array, features: Partial<KernelFeatures>): Uint8Array {
  const spec = Spec.parse(rawBtf);
  const { length, layout, notes } = parseHeader(rawBtf);
  const options = marshalOptionsFor(features);
  // A kernel without the layout section refuses a header whose fields for it are not zero.
  const layoutFields = rawBtf.subarray(SHORT_HEADER_LENGTH, Math.min(length, LONG_HEADER_LENGTH));
  const hasLayout = layoutFields.some((byte) => byte !== 0);
  const lacksLayout = features.layout === false;
  if (!(hasLayout && lacksLayout) && !isDowngraded(spec, options)) return rawBtf;
  rejectUnknown(notes, 'the BTF cannot be adapted to a kernel');
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
