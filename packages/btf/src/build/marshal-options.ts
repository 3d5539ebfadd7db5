import type { ByteOrder } from '../header.js';

/**
 * MarshalOptions select the kernels that a BTF is written for. The first six are modelled on `btf.MarshalOptions` of
 * cilium/ebpf. By default nothing is replaced: newer kernels know all kinds.
 */
export interface MarshalOptions {
  /** The byte order of the result. Default: that of this machine. */
  readonly byteOrder?: ByteOrder;
  /** Leave out the linkage of functions, for kernels before 5.6. */
  readonly stripFuncLinkage?: boolean;
  /** Write an INT `decl_tag_placeholder` of one byte for each DECL_TAG, for kernels before 5.16. */
  readonly replaceDeclTags?: boolean;
  /** Write a CONST for each TYPE_TAG, for kernels before 5.17. */
  readonly replaceTypeTags?: boolean;
  /**
   * Write a UNION for each ENUM64, with a member for each value, of an INT `enum64_placeholder` of the same size, and
   * an ENUM without sign for each ENUM, for kernels before 6.0. The placeholders get ids after all others.
   */
  readonly replaceEnum64?: boolean;
  /** Write one anonymous INT of size 0 if there are no types: kernels reject BTF without types. */
  readonly preventNoTypeFound?: boolean;
  /**
   * Allow more than 65,535 members, values, parameters or variables in one type, which needs Linux 7.2 to be read
   * correctly. Default: such a type is an error.
   */
  readonly wideVlen?: boolean;
  /**
   * Store a name inside a longer one that ends with it, which makes the strings of vmlinux about a tenth smaller.
   * Kernels, libbpf and bpftool read it; cilium/ebpf rejects names that start inside others. Default: false.
   */
  readonly shareSuffixes?: boolean;
}
