import { Feature as FeatureNumber, type FeatureStatus as FeatureStatusMessage } from '@btfd/api';
import { type FeatureName, type KernelFeatures, kernelFeaturesOf } from '@btfd/btf';

/** Feature is a part of BTF, or a check of it, that older kernels lack. `btf.v1.Feature` explains each, with the release. */
export type Feature =
  | 'btf'
  | 'func'
  | 'var'
  | 'func-linkage'
  | 'decl-tag'
  | 'type-tag'
  | 'enum64'
  | 'empty-sections'
  | 'float'
  | 'long-names'
  | 'dot-names'
  | 'printable-section-names'
  | 'tag-attributes'
  | 'layout'
  | 'late-type-tags'
  | 'special-fields'
  | 'nested-fields'
  | 'pointer-fields'
  | 'user-pointers'
  | 'resilient-locks'
  | 'several-pointer-tags'
  | 'unique-fields'
  | 'ownership-depth'
  | 'unknown';

/** FeatureStatus reports whether the daemon's kernel has a feature. */
export interface FeatureStatus {
  readonly feature: Feature;
  readonly supported: boolean;
}

/** The words for features, and their names in `KernelFeatures`. */
const FEATURES: Readonly<Record<number, readonly [feature: Feature, name: FeatureName | null]>> = {
  [FeatureNumber.UNSPECIFIED]: ['unknown', null],
  [FeatureNumber.BTF]: ['btf', null],
  [FeatureNumber.FUNC]: ['func', 'func'],
  [FeatureNumber.VAR]: ['var', 'datasec'],
  [FeatureNumber.FUNC_LINKAGE]: ['func-linkage', 'funcLinkage'],
  [FeatureNumber.DECL_TAG]: ['decl-tag', 'declTag'],
  [FeatureNumber.TYPE_TAG]: ['type-tag', 'typeTag'],
  [FeatureNumber.ENUM64]: ['enum64', 'enum64'],
  [FeatureNumber.EMPTY_SECTIONS]: ['empty-sections', 'emptySections'],
  [FeatureNumber.FLOAT]: ['float', 'float'],
  [FeatureNumber.LONG_NAMES]: ['long-names', 'longNames'],
  [FeatureNumber.DOT_NAMES]: ['dot-names', 'dotNames'],
  [FeatureNumber.PRINTABLE_SECTION_NAMES]: ['printable-section-names', 'printableSectionNames'],
  [FeatureNumber.TAG_ATTRIBUTES]: ['tag-attributes', 'tagAttributes'],
  [FeatureNumber.LAYOUT]: ['layout', 'layout'],
  [FeatureNumber.LATE_TYPE_TAGS]: ['late-type-tags', 'lateTypeTags'],
  [FeatureNumber.SPECIAL_FIELDS]: ['special-fields', 'specialFields'],
  [FeatureNumber.NESTED_FIELDS]: ['nested-fields', 'nestedFields'],
  [FeatureNumber.POINTER_FIELDS]: ['pointer-fields', 'pointerFields'],
  [FeatureNumber.USER_POINTERS]: ['user-pointers', 'userPointers'],
  [FeatureNumber.RESILIENT_LOCKS]: ['resilient-locks', 'resilientLocks'],
  [FeatureNumber.SEVERAL_POINTER_TAGS]: ['several-pointer-tags', 'severalPointerTags'],
  [FeatureNumber.UNIQUE_FIELDS]: ['unique-fields', 'uniqueFields'],
  [FeatureNumber.OWNERSHIP_DEPTH]: ['ownership-depth', 'ownershipDepth'],
} satisfies Record<FeatureNumber, readonly [feature: Feature, name: FeatureName | null]>;

type Message = Pick<FeatureStatusMessage, 'feature' | 'supported'>;

/** featuresFromMessage returns the features that the daemon probed. */
export function featuresFromMessage(statuses: readonly Message[]): FeatureStatus[] {
  return statuses.map(({ feature, supported }) => ({
    feature: FEATURES[feature]?.[0] ?? 'unknown',
    supported,
  }));
}

/** kernelFeaturesFrom returns the features of a kernel: those that were probed, and for the rest those of its release. */
export function kernelFeaturesFrom(release: string, statuses: readonly Message[]): KernelFeatures {
  const [, major = 'Infinity', minor = '0'] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  const probed = statuses.flatMap(({ feature, supported }) => {
    const name = FEATURES[feature]?.[1] ?? null;
    return name === null ? [] : [[name, supported] as const];
  });
  return { ...kernelFeaturesOf(Number(major), Number(minor)), ...Object.fromEntries(probed) };
}

/** featureMessages returns the message of each feature, as a daemon on a kernel with these features sends it. */
export function featureMessages(features: KernelFeatures): Message[] {
  const known = Object.values(FeatureNumber).filter(
    (feature): feature is FeatureNumber =>
      typeof feature === 'number' && feature !== FeatureNumber.UNSPECIFIED,
  );
  return known.map((feature) => {
    const name = FEATURES[feature]?.[1] ?? null;
    return { feature, supported: name === null || features[name] };
  });
}
