import { isKnownKind, KIND_ROWS } from '../kind-words.js';
import { Kind, KINDS } from '../types.js';

/** KernelFeatures are the parts of BTF that a kernel accepts or checks, each with the first release that does. */
export interface KernelFeatures {
  /** FUNC and FUNC_PROTO (Linux 5.0). */
  readonly func: boolean;
  /** VAR and DATASEC (5.2). */
  readonly datasec: boolean;
  /** The linkage of a FUNC in place of vlen (5.6). */
  readonly funcLinkage: boolean;
  /** FLOAT (5.13). */
  readonly float: boolean;
  /** DECL_TAG (5.16). */
  readonly declTag: boolean;
  /** TYPE_TAG (5.17). */
  readonly typeTag: boolean;
  /** ENUM64, and the kind flag on ENUM (6.0). */
  readonly enum64: boolean;
  /** Names of up to 512 bytes (6.1); 128 before. */
  readonly longNames: boolean;
  /** Dots in all names (6.4); only in those of VAR and DATASEC before. Backported to stable kernels. */
  readonly dotNames: boolean;
  /** Any printable character in the name of a DATASEC (6.9). */
  readonly printableSectionNames: boolean;
  /** The kind flag on DECL_TAG and TYPE_TAG (6.15). */
  readonly tagAttributes: boolean;
  /**
   * Checks of fields that are special to BPF programs: locks, lists, trees and reference counts (6.6). Linux 6.2 to 6.5
   * also check them, but with smaller nodes, which this library does not know.
   */
  readonly specialFields: boolean;
  /** The same checks within arrays, and within structs that are members (6.11). */
  readonly nestedFields: boolean;
  /** The same checks for pointers tagged `kptr` and the like (6.12). */
  readonly pointerFields: boolean;
  /** The tag `uptr` among them (6.13). */
  readonly userPointers: boolean;
  /** The lock `bpf_res_spin_lock` (6.15). */
  readonly resilientLocks: boolean;
  /** A header of 32 bytes with a layout section (7.1). */
  readonly layout: boolean;
  /** A vlen of 24 bits (7.2); 16 before. */
  readonly wideVlen: boolean;
  /** The largest number of a kind (`BTF_KIND_MAX`). Kinds newer than ENUM64 have no feature of their own. */
  readonly largestKind: number;
}

type Release = readonly [major: number, minor: number];

/** The first release with each feature. */
const SINCE: Readonly<Record<Exclude<keyof KernelFeatures, 'largestKind'>, Release>> = {
  func: KINDS.FUNC.since,
  datasec: KINDS.DATASEC.since,
  funcLinkage: [5, 6],
  float: KINDS.FLOAT.since,
  declTag: KINDS.DECL_TAG.since,
  typeTag: KINDS.TYPE_TAG.since,
  enum64: KINDS.ENUM64.since,
  longNames: [6, 1],
  dotNames: [6, 4],
  printableSectionNames: [6, 9],
  tagAttributes: [6, 15],
  specialFields: [6, 6],
  nestedFields: [6, 11],
  pointerFields: [6, 12],
  userPointers: [6, 13],
  resilientLocks: [6, 15],
  layout: [7, 1],
  wideVlen: [7, 2],
};

/** KERNEL_FEATURES are the features of the newest kernel that this library knows (Linux 7.2). */
export const KERNEL_FEATURES: KernelFeatures = /* @__PURE__ */ kernelFeaturesOf(Infinity, 0);

/**
 * kernelFeaturesOf returns the features of a release, such as 6 and 18. It does not know what distributions backport;
 * probe the kernel for that.
 */
export function kernelFeaturesOf(major: number, minor: number): KernelFeatures {
  const isSince = ([sinceMajor, sinceMinor]: Release): boolean =>
    major > sinceMajor || (major === sinceMajor && minor >= sinceMinor);
  const has = (name: keyof typeof SINCE): boolean => isSince(SINCE[name]);
  return {
    func: has('func'),
    datasec: has('datasec'),
    funcLinkage: has('funcLinkage'),
    float: has('float'),
    declTag: has('declTag'),
    typeTag: has('typeTag'),
    enum64: has('enum64'),
    longNames: has('longNames'),
    dotNames: has('dotNames'),
    printableSectionNames: has('printableSectionNames'),
    tagAttributes: has('tagAttributes'),
    specialFields: has('specialFields'),
    nestedFields: has('nestedFields'),
    pointerFields: has('pointerFields'),
    userPointers: has('userPointers'),
    resilientLocks: has('resilientLocks'),
    layout: has('layout'),
    wideVlen: has('wideVlen'),
    largestKind: KIND_ROWS.findLastIndex((row) => row !== undefined && isSince(row.since)),
  };
}

/** The features of kinds up to ENUM64 that are newer than BTF itself. */
const KIND_FEATURES: ReadonlyMap<number, keyof typeof SINCE> = new Map([
  [Kind.FUNC, 'func'],
  [Kind.FUNC_PROTO, 'func'],
  [Kind.VAR, 'datasec'],
  [Kind.DATASEC, 'datasec'],
  [Kind.FLOAT, 'float'],
  [Kind.DECL_TAG, 'declTag'],
  [Kind.TYPE_TAG, 'typeTag'],
  [Kind.ENUM64, 'enum64'],
]);

/** acceptsKind reports whether a kernel with these features accepts types of a kind. */
export function acceptsKind(features: KernelFeatures, kind: number): boolean {
  if (!isKnownKind(kind)) return false;
  const feature = KIND_FEATURES.get(kind);
  return feature === undefined ? kind <= features.largestKind : features[feature];
}
