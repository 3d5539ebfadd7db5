import type { ByteOrder } from '../header.js';

/**
 * MarshalOptions choose what a BTF is written for; the first six have the meaning of cilium/ebpf's
 * `btf.MarshalOptions`. By default nothing is replaced: newer kernels know all of it.
 */
export interface MarshalOptions {
  /** Default: that of the machine that runs this. */
  readonly byteOrder?: ByteOrder;
  /** Write no linkage of functions, for kernels before 5.6. */
  readonly stripFuncLinkage?: boolean;
  /** Write an INT `decl_tag_placeholder` of one byte for each DECL_TAG, for kernels before 5.16. */
  readonly replaceDeclTags?: boolean;
  /** Write a CONST for each TYPE_TAG, for kernels before 5.17. */
  readonly replaceTypeTags?: boolean;
  /**
   * Write a UNION with a member for each value, of an INT `enum64_placeholder` of the same size, for each
   * ENUM64, and an ENUM without sign for each ENUM, for kernels before 6.0. The placeholders get ids behind
   * all others.
   */
  readonly replaceEnum64?: boolean;
  /** Write one anonymous INT of no size where there is no type at all: kernels refuse BTF without types. */
  readonly preventNoTypeFound?: boolean;
  /**
   * Allow more than 65,535 members, values, parameters or variables in one type, which only Linux 7.2 and
   * newer read right. Default: such a type is an error.
   */
  readonly wideVlen?: boolean;
  /**
   * Put a name that another one ends with into that one: vmlinux's strings get about a tenth smaller. Kernels,
   * libbpf and bpftool read it; cilium/ebpf refuses names that start inside of others. Default: false.
   */
  readonly shareSuffixes?: boolean;
}
