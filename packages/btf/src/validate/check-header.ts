import { LONG_HEADER_LENGTH, parseHeader, SHORT_HEADER_LENGTH } from '../header.js';
import type { KernelFeatures } from '../kernel/kernel-features.js';
import type { BtfNoteKind } from '../notes.js';
import type { Spec } from '../spec.js';
import { MAX_TYPE } from './check-type.js';
import type { ProblemList } from './problem.js';

/** The largest size of a BTF in bytes (BTF_MAX_SIZE). */
const MAX_SIZE = 16 * 1024 * 1024;

/** The kernel's words for what reading leaves out. It refuses types of unknown kinds as it comes to them. */
const UNKNOWN_PARTS: Readonly<Record<Exclude<BtfNoteKind, 'UNKNOWN_KINDS'>, string>> = {
  UNKNOWN_FLAGS: 'Unsupported flags',
  UNKNOWN_HEADER_FIELDS: 'Unsupported btf_header',
  UNKNOWN_BYTES: 'Unsupported section found',
};

/** checkHeader checks the header and the sections of a BTF, except for the checks of parsing. */
export function checkHeader(spec: Spec, features: KernelFeatures, problems: ProblemList): void {
  const { bytes } = spec;
  if (bytes.length > MAX_SIZE) problems.add(null, `BTF of ${bytes.length} bytes exceeds 16 MiB`);
  if (spec.endTypeId > MAX_TYPE) problems.add(null, 'Exceeded max num of types');
  const { length, strings, notes } = parseHeader(bytes);
  if (spec.base === null && spec.typeCount === 0) {
    problems.add(null, bytes.length === length ? 'No data' : 'No type found');
  }
  const layoutFields = bytes.subarray(SHORT_HEADER_LENGTH, Math.min(length, LONG_HEADER_LENGTH));
  if (!features.layout && layoutFields.some((byte) => byte !== 0)) {
    problems.addAt(SHORT_HEADER_LENGTH, UNKNOWN_PARTS.UNKNOWN_HEADER_FIELDS);
  }
  for (const { kind, offset } of notes) {
    if (kind !== 'UNKNOWN_KINDS') problems.addAt(offset, UNKNOWN_PARTS[kind]);
  }
  const long = features.layout && length >= LONG_HEADER_LENGTH;
  if (!long && strings.offset + strings.length !== bytes.length) {
    problems.addAt(strings.offset, 'String section is not at the end');
  }
}
