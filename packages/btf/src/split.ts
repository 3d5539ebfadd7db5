import { type BtfHeader, parseHeader } from './header.js';

/**
 * isSplit tells whether BTF is certainly split, so that it cannot be read without its base.
 *
 * BTF that stands alone must begin its string section with the empty string, a NUL; split BTF has the
 * empty string in its base, and what the kernel's build and libbpf write begins with a name, or has types
 * but no strings at all. False does not prove the contrary: a producer may repeat the empty string in
 * split BTF (cilium/ebpf does), and BTF without types and strings, as modules have it, needs no base.
 *
 * @throws BtfFormatError where {@link parseHeader} does.
 */
export function isSplit(bytes: Uint8Array): boolean {
  return needsBase(bytes, parseHeader(bytes));
}

/** needsBase is {@link isSplit} for who has the header already. */
export function needsBase(bytes: Uint8Array, { types, strings }: BtfHeader): boolean {
  return strings.length === 0 ? types.length > 0 : bytes[strings.offset] !== 0;
}
