import { readFileSync } from 'node:fs';
import { Feature } from '@btfd/api';
import {
  type FeatureName,
  type FeatureProbe,
  FEATURE_ROWS,
  IntEncoding,
  type KernelFeatures as Features,
  probeBtf,
  probeResult,
} from '@btfd/btf';
import { BpfError } from '@btfd/native';
import type { Kernel } from './kernel.js';

/** BTF that every kernel with BTF accepts. */
const ANY_BTF: FeatureProbe = {
  types: [{ kind: 'INT', size: 4, encoding: IntEncoding.SIGNED, bits: 32, bitOffset: 0 }],
};

/** The numbers of the features in the contract. Those that the daemon does not probe have none. */
const NUMBERS = {
  func: Feature.FUNC,
  datasec: Feature.VAR,
  funcLinkage: Feature.FUNC_LINKAGE,
  emptySections: Feature.EMPTY_SECTIONS,
  float: Feature.FLOAT,
  declTag: Feature.DECL_TAG,
  typeTag: Feature.TYPE_TAG,
  enum64: Feature.ENUM64,
  longNames: Feature.LONG_NAMES,
  dotNames: Feature.DOT_NAMES,
  specialFields: Feature.SPECIAL_FIELDS,
  printableSectionNames: Feature.PRINTABLE_SECTION_NAMES,
  nestedFields: Feature.NESTED_FIELDS,
  pointerFields: Feature.POINTER_FIELDS,
  userPointers: Feature.USER_POINTERS,
  tagAttributes: Feature.TAG_ATTRIBUTES,
  resilientLocks: Feature.RESILIENT_LOCKS,
  layout: Feature.LAYOUT,
  lateTypeTags: Feature.LATE_TYPE_TAGS,
  severalPointerTags: Feature.SEVERAL_POINTER_TAGS,
  ownershipDepth: Feature.OWNERSHIP_DEPTH,
  uniqueFields: Feature.UNIQUE_FIELDS,
  wideVlen: null,
} as const satisfies Record<FeatureName, Feature | null>;

interface Probed {
  readonly feature: Feature;
  /** The name in the library; null for BTF at all. */
  readonly name: FeatureName | null;
  readonly probe: FeatureProbe;
}

/** The probes, in the order of the releases. */
const PROBED: readonly Probed[] = [
  { feature: Feature.BTF, name: null, probe: ANY_BTF },
  ...[...FEATURE_ROWS].flatMap(([name, { probe }]) => {
    const feature = NUMBERS[name];
    return probe === null || feature === null ? [] : [{ feature, name, probe }];
  }),
];

/**
 * KernelFeatures finds out what BTF the kernel accepts and what it checks, by loading the probe of each feature once.
 *
 * Modelled on the feature probes of `features.go` in cilium/ebpf's `btf`, and on those of libbpf.
 */
export class KernelFeatures {
  readonly #known = new Map<Feature, boolean>();
  #probing: Promise<void> | null = null;
  readonly #kernel: Pick<Kernel, 'load'>;

  constructor(kernel: Pick<Kernel, 'load'>) {
    this.#kernel = kernel;
  }

  /**
   * all returns the features whose probe was conclusive, and whether the kernel has each. A probe that failed for another
   * reason, such as a lack of memory, is tried again at the next call.
   */
  async all(): Promise<ReadonlyMap<Feature, boolean>> {
    if (this.#known.size < PROBED.length) {
      this.#probing ??= this.#probe().finally(() => (this.#probing = null));
      await this.#probing;
    }
    return this.#known;
  }

  /** forBtf returns the features by their names in the library. Those that are not known are absent. */
  async forBtf(): Promise<Partial<Features>> {
    const known = await this.all();
    return Object.fromEntries(
      PROBED.flatMap(({ feature, name }) => {
        const has = known.get(feature);
        return name === null || has === undefined ? [] : [[name, has]];
      }),
    );
  }

  async #probe(): Promise<void> {
    const missing = PROBED.filter(({ feature }) => !this.#known.has(feature));
    // All together: the loads run one after the other on the load thread, which then does not wait for the event loop.
    const loads = await Promise.all(missing.map(async ({ probe }) => this.#load(probe)));
    for (const [index, { feature, probe }] of missing.entries()) {
      const hasNeeded = probe.needs === undefined || this.#known.get(NUMBERS[probe.needs]);
      // Null or undefined if it is not known.
      const result = hasNeeded === true ? loads[index] : hasNeeded;
      if (typeof result === 'boolean') this.#known.set(feature, result);
    }
  }

  /** Returns what the load of a probe says, or null if it failed for another reason. */
  async #load(probe: FeatureProbe): Promise<boolean | null> {
    try {
      (await this.#kernel.load(probeBtf(probe), 0)).close();
      return probeResult(probe, null);
    } catch (error) {
      if (!(error instanceof BpfError)) throw error;
      return probeResult(probe, error.code);
    }
  }
}

/** readBootId returns the kernel's boot id. BTF ids of one boot mean nothing in another. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}
