import type { ByteOrder } from '../header.js';

/**
 * MarshalOptions select the kernels that a BTF is written for. By default nothing is replaced: newer kernels know all
 * kinds. `adaptBtf` chooses the options by a kernel's features.
 *
 * Modelled on `btf.MarshalOptions` of cilium/ebpf, and on `bpf_object__sanitize_btf` of libbpf. Placeholders get ids
 * after all others.
 */
export interface MarshalOptions {
  /** The byte order of the result. Default: that of this machine. */
  readonly byteOrder?: ByteOrder;
  /**
   * Write an ENUM for each FUNC_PROTO, with a value for each parameter, and a TYPEDEF for each FUNC, for kernels before
   * 5.0.
   */
  readonly replaceFunctions?: boolean;
  /**
   * Write an INT of one byte for each VAR, and a STRUCT of these for each DATASEC, for kernels before 5.2. `_` replaces
   * characters that the name of a STRUCT cannot have.
   */
  readonly replaceSections?: boolean;
  /** Leave out the linkage of functions, for kernels before 5.6. */
  readonly stripFuncLinkage?: boolean;
  /** Write a STRUCT without members for each DATASEC without variables, for kernels before 5.12. */
  readonly replaceEmptySections?: boolean;
  /** Write an anonymous STRUCT without members for each FLOAT, for kernels before 5.13. */
  readonly replaceFloats?: boolean;
  /** Write an INT `decl_tag_placeholder` of one byte for each DECL_TAG, for kernels before 5.16. */
  readonly replaceDeclTags?: boolean;
  /** Write a CONST for each TYPE_TAG, for kernels before 5.17. */
  readonly replaceTypeTags?: boolean;
  /**
   * Write a UNION for each ENUM64, with a member for each value, of an INT `enum64_placeholder` of the same size, and
   * an ENUM without sign for each ENUM, for kernels before 6.0.
   */
  readonly replaceEnum64?: boolean;
  /** Cut names after 128 bytes, for kernels before 6.1. */
  readonly shortenNames?: boolean;
  /** Write `_` for each dot in a name, except in those of VAR and DATASEC, for kernels before 6.4. */
  readonly replaceDots?: boolean;
  /** Write `_` for what is not a letter, digit, `_` or dot in the name of a DATASEC, for kernels before 6.9. */
  readonly replaceSectionNames?: boolean;
  /** Do as `replaceDeclTags` and `replaceTypeTags` do for tags that are attributes, for kernels before 6.15. */
  readonly replaceTagAttributes?: boolean;
  /**
   * Let a qualifier or typedef refer to the type after the TYPE_TAGs that it refers to, for kernels before 7.2. Pointers
   * keep their tags.
   */
  readonly skipLateTypeTags?: boolean;
  /** Write one anonymous INT of size 0 if there are no types: kernels reject BTF without types. */
  readonly preventNoTypeFound?: boolean;
  /**
   * Allow more than 65,535 members, values, parameters or variables in one type, which needs Linux 7.2 to be read
   * correctly. Default: such a type is an error.
   */
  readonly wideVlen?: boolean;
  /**
   * Write a header of 32 bytes and a layout section with the sizes of all kinds up to ENUM64, as libbpf 1.7 and pahole
   * do for kernels since 7.1. Kernels before 7.1 reject it. Default: false.
   */
  readonly layout?: boolean;
  /**
   * Sort the types by name, anonymous ones first, as those of vmlinux since Linux 7.0. The result has other ids than the
   * builder; {@link sortTypes} returns the new ids. Default: false.
   */
  readonly sort?: boolean;
  /**
   * Store a name inside a longer one that ends with it, which makes the strings of vmlinux about a tenth smaller.
   * Kernels, libbpf and bpftool read it; cilium/ebpf rejects names that start inside others. Default: false.
   */
  readonly shareSuffixes?: boolean;
}
