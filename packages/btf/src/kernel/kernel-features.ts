import type { MarshalOptions } from '../build/marshal-options.js';
import { isKnownKind, KIND_ROWS } from '../kind-words.js';
import { Kind } from '../types.js';
import { FEATURE_TABLE, type FeatureName, type FeatureRow } from './feature-table.js';

/**
 * KernelFeatures has what a kernel accepts in BTF, and what it checks. {@link FEATURE_ROWS} describes each feature. A
 * kernel with a feature accepts what it names, or makes the check.
 */
export interface KernelFeatures extends Readonly<Record<FeatureName, boolean>> {
  /** The largest number of a kind (`BTF_KIND_MAX`). Kinds newer than ENUM64 have no feature of their own. */
  readonly largestKind: number;
}

/** FEATURE_ROWS describes each feature: its words, its first release, its probe and its rewriting. */
export const FEATURE_ROWS: ReadonlyMap<FeatureName, FeatureRow> = /* @__PURE__ */ featureRows();

/** KERNEL_FEATURES are the features of the newest kernel that this library knows (Linux 7.3). */
export const KERNEL_FEATURES: KernelFeatures = /* @__PURE__ */ kernelFeaturesOf(Infinity, 0);

/**
 * kernelFeaturesOf returns the features of a release, such as 6 and 18. It does not know what distributions and stable
 * releases backport: {@link probeBtf} makes BTF that shows what the running kernel has.
 */
export function kernelFeaturesOf(major: number, minor: number): KernelFeatures {
  const isSince = ([sinceMajor, sinceMinor]: readonly [major: number, minor: number]): boolean =>
    major > sinceMajor || (major === sinceMajor && minor >= sinceMinor);
  const has = (name: FeatureName): boolean => isSince(FEATURE_TABLE[name].since);
  return {
    func: has('func'),
    datasec: has('datasec'),
    funcLinkage: has('funcLinkage'),
    emptySections: has('emptySections'),
    float: has('float'),
    declTag: has('declTag'),
    typeTag: has('typeTag'),
    enum64: has('enum64'),
    longNames: has('longNames'),
    dotNames: has('dotNames'),
    specialFields: has('specialFields'),
    printableSectionNames: has('printableSectionNames'),
    nestedFields: has('nestedFields'),
    pointerFields: has('pointerFields'),
    userPointers: has('userPointers'),
    tagAttributes: has('tagAttributes'),
    resilientLocks: has('resilientLocks'),
    layout: has('layout'),
    lateTypeTags: has('lateTypeTags'),
    severalPointerTags: has('severalPointerTags'),
    ownershipDepth: has('ownershipDepth'),
    uniqueFields: has('uniqueFields'),
    wideVlen: has('wideVlen'),
    largestKind: KIND_ROWS.findLastIndex((row) => row !== undefined && isSince(row.since)),
  };
}

function featureRows(): Map<FeatureName, FeatureRow> {
  const names = Object.keys(FEATURE_TABLE).filter(isFeatureName);
  return new Map(names.map((name) => [name, FEATURE_TABLE[name]]));
}

function isFeatureName(name: string): name is FeatureName {
  return name in FEATURE_TABLE;
}

/**
 * marshalOptionsFor returns how BTF is written for a kernel. Only features that are false are replaced: a feature that
 * is absent counts as present.
 */
export function marshalOptionsFor(features: Partial<KernelFeatures>): MarshalOptions {
  const replaced = [...FEATURE_ROWS].flatMap(([name, { rewriting }]) =>
    rewriting !== null && rewriting.option !== null && features[name] === false
      ? [[rewriting.option, true]]
      : [],
  );
  return { ...Object.fromEntries(replaced), preventNoTypeFound: true };
}

/** The features of kinds up to ENUM64 that are newer than BTF itself. */
const KIND_FEATURES: ReadonlyMap<number, FeatureName> = new Map([
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
