import { readFileSync } from 'node:fs';
import { Feature } from '@btfd/api';
import { Builder, FuncLinkage, IntEncoding, type MarshalOptions, type NewType } from '@btfd/btf';
import { BpfError } from '@btfd/native';
import type { Kernel } from './kernel.js';

const INT: NewType = { kind: 'INT', size: 4, encoding: IntEncoding.SIGNED, bits: 32, bitOffset: 0 };
const PROTO: NewType = { kind: 'FUNC_PROTO', returnTypeId: 0, params: [] };

/** The smallest BTF that only a kernel with the feature accepts. Ids count from 1. */
const PROBES: ReadonlyMap<Feature, readonly NewType[]> = new Map([
  [Feature.BTF, [INT]],
  [Feature.FUNC, [PROTO, { kind: 'FUNC', name: 'a', typeId: 1, linkage: FuncLinkage.STATIC }]],
  [
    Feature.VAR,
    [
      { kind: 'PTR', typeId: 0 },
      { kind: 'VAR', name: 'a', typeId: 1, linkage: 0 },
    ],
  ],
  [Feature.FUNC_LINKAGE, [PROTO, { kind: 'FUNC', name: 'a', typeId: 1, linkage: FuncLinkage.GLOBAL }]],
  [
    Feature.DECL_TAG,
    [
      INT,
      { kind: 'TYPEDEF', name: 'a', typeId: 1 },
      { kind: 'DECL_TAG', name: 'a', typeId: 2, componentIdx: -1, attribute: false },
    ],
  ],
  [
    Feature.TYPE_TAG,
    [INT, { kind: 'TYPE_TAG', name: 'a', typeId: 1, attribute: false }, { kind: 'PTR', typeId: 2 }],
  ],
  [
    Feature.ENUM64,
    [{ kind: 'ENUM64', name: 'a', size: 8, signed: false, values: [{ name: 'A', value: 1n << 32n }] }],
  ],
]);

/**
 * KernelFeatures tries what BTF the kernel accepts, once for each feature.
 *
 * Modelled on the feature probes of `features.go` in cilium/ebpf's `btf`.
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
    if (this.#known.size < PROBES.size) {
      this.#probing ??= this.#probe().finally(() => (this.#probing = null));
      await this.#probing;
    }
    return this.#known;
  }

  /** marshalOptions returns how BTF is written for this kernel. Only features that are known to be missing are replaced. */
  async marshalOptions(): Promise<MarshalOptions> {
    const features = await this.all();
    const lacks = (feature: Feature): boolean => features.get(feature) === false;
    return {
      stripFuncLinkage: lacks(Feature.FUNC_LINKAGE),
      replaceDeclTags: lacks(Feature.DECL_TAG),
      replaceTypeTags: lacks(Feature.TYPE_TAG),
      replaceEnum64: lacks(Feature.ENUM64),
      preventNoTypeFound: true,
    };
  }

  async #probe(): Promise<void> {
    for (const [feature, types] of PROBES) {
      if (this.#known.has(feature)) continue;
      const supported = await this.#accepts(types);
      if (supported !== null) this.#known.set(feature, supported);
    }
  }

  /** Returns whether the kernel accepts the types, or null if the load failed for another reason. */
  async #accepts(types: readonly NewType[]): Promise<boolean | null> {
    const builder = new Builder();
    for (const type of types) builder.add(type);
    try {
      (await this.#kernel.load(builder.marshal(), 0)).close();
      return true;
    } catch (error) {
      if (!(error instanceof BpfError)) throw error;
      return error.code === 'EINVAL' ? false : null;
    }
  }
}

/** readBootId returns the kernel's boot id. BTF ids of one boot mean nothing in another. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}
