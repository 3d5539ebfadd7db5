import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { Builder } from './builder.js';
import type { MarshalOptions } from './marshal-options.js';

/** MapTypes are the types of a map's keys and values, as BTF to load. */
export interface MapTypes {
  /** BTF that stands alone, for `BPF_BTF_LOAD`. */
  readonly bytes: Uint8Array;
  /** The type of the keys: `btf_key_type_id` of `BPF_MAP_CREATE`. 0 if there is none. */
  readonly keyTypeId: TypeId;
  /** The type of the values: `btf_value_type_id`. 0 if there is none. */
  readonly valueTypeId: TypeId;
}

/**
 * marshalMapKV writes the types of a map's keys and values, with all types that they refer to, as a BTF of their own. The
 * kernel takes it with the two ids when the map is created, and tools then show the contents of the map with names.
 *
 * Modelled on `btf.MarshalMapKV` of cilium/ebpf, which also loads the BTF: pass `bytes` to a daemon or to `BPF_BTF_LOAD`.
 * For an older kernel, pass `marshalOptionsFor` its features as options.
 *
 * @param spec the types, for example of an object file, or of a module and its base.
 * @param keyTypeId the type of the keys in the spec; 0 for maps whose keys the kernel does not describe, such as ring
 * buffers.
 * @param valueTypeId the type of the values; 0 for none.
 * @throws BtfLookupError `NOT_FOUND` if the spec has no such id.
 * @throws BtfFormatError `MALFORMED` for a name outside the string section, and for a reference to a type that does not
 * exist.
 * @throws BtfFormatError `UNSUPPORTED` for a type of an unknown kind.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if names add up to more than 8 times the string section.
 * @throws BtfFormatError `INVALID_ARGUMENT` if the byte order is invalid.
 * @throws BtfBuildError `LIMIT_EXCEEDED` for too many types or bytes, and for more than 65,535 elements in a type without
 * `wideVlen`.
 */
export function marshalMapKV(
  spec: Spec,
  keyTypeId: TypeId,
  valueTypeId: TypeId,
  options: Omit<MarshalOptions, 'sort'> = {},
): MapTypes {
  const builder = new Builder();
  const [key = 0, value = 0] = builder.addAllFrom(spec, [keyTypeId, valueTypeId]);
  const bytes = builder.marshal({ preventNoTypeFound: true, ...options, sort: false });
  return { bytes, keyTypeId: key, valueTypeId: value };
}
