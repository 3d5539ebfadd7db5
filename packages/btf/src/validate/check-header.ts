import { parseHeader } from '../header.js';
import type { Spec } from '../spec.js';
import type { KernelFeatures } from '../kernel/kernel-features.js';
import type { ProblemList } from './problem.js';
import { MAX_TYPE } from './check-type.js';

/** The largest size of a BTF in bytes (BTF_MAX_SIZE). */
const MAX_SIZE = 16 * 1024 * 1024;

/** The length of a header with the layout section, and where its layout fields begin. */
const LONG_HEADER = 32;
const SHORT_HEADER = 24;

/** checkHeader checks the header and the sections of a BTF, except for the checks of parsing. */
export function checkHeader(spec: Spec, features: KernelFeatures, problems: ProblemList): void {
  const { bytes } = spec;
  if (bytes.length > MAX_SIZE) problems.add(null, `BTF of ${bytes.length} bytes exceeds 16 MiB`);
  if (spec.endTypeId > MAX_TYPE) problems.add(null, 'Exceeded max num of types');
  const { length, strings } = parseHeader(bytes);
  if (spec.base === null && spec.typeCount === 0) {
    problems.add(null, bytes.length === length ? 'No data' : 'No type found');
  }
  if (
    !features.layout &&
    bytes.subarray(SHORT_HEADER, Math.min(length, LONG_HEADER)).some((byte) => byte !== 0)
  ) {
    problems.add(null, 'Unsupported btf_header');
  }
  const long = features.layout && length >= LONG_HEADER;
  if (!long && strings.offset + strings.length !== bytes.length) {
    problems.add(null, 'String section is not at the end');
  }
}
