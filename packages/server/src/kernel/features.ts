import { readFileSync } from 'node:fs';
import { Feature } from '@btfd/api';
import { Builder, FuncLinkage, IntEncoding, type MarshalOptions, type NewType } from '@btfd/btf';
import { BpfError } from '@btfd/native';
import type { Kernel } from './kernel.js';

const INT: NewType = { kind: 'INT', size: 4, encoding: IntEncoding.SIGNED, bits: 32, bitOffset: 0 };
const PROTO: NewType = { kind: 'FUNC_PROTO', returnTypeId: 0, params: [] };

/** The smallest BTF that only a kernel with the feature accepts; ids count from 1. */
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

/** KernelFeatures finds out by trying what the kernel's BTF can have, once for each feature. */
export class KernelFeatures {
  private readonly known = new Map<Feature, boolean>();
  private probing: Promise<void> | null = null;

  constructor(private readonly kernel: Pick<Kernel, 'load'>) {}

  /**
   * Every feature whose probe was conclusive, and whether the kernel has it. One that failed for another
   * cause, such as a lack of memory, is tried again at the next call.
   */
  async all(): Promise<ReadonlyMap<Feature, boolean>> {
    if (this.known.size < PROBES.size) {
      this.probing ??= this.probe().finally(() => (this.probing = null));
      await this.probing;
    }
    return this.known;
  }

  /** The options with which BTF is written for this kernel. What isn't known to be missing is written as it is. */
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

  private async probe(): Promise<void> {
    for (const [feature, types] of PROBES) {
      if (this.known.has(feature)) continue;
      const supported = await this.accepts(types);
      if (supported !== null) this.known.set(feature, supported);
    }
  }

  /** Whether the kernel takes the types; null where that can't be said. */
  private async accepts(types: readonly NewType[]): Promise<boolean | null> {
    const builder = new Builder();
    for (const type of types) builder.add(type);
    try {
      (await this.kernel.load(builder.marshal(), 0)).close();
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
