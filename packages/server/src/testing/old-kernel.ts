import { FuncLinkage, Spec, type Type } from '@btfd/btf';
import type { KernelObject } from '../kernel/kernel.js';
import { bpfError, FakeKernel } from './fake-kernel.js';

/** OldKernel refuses BTF with types that some release did not know. */
export class OldKernel extends FakeKernel {
  constructor(private readonly isKnown: (type: Type) => boolean) {
    super();
  }

  override async load(bytes: Uint8Array, logSize: number): Promise<KernelObject> {
    for (const type of Spec.parse(bytes)) {
      if (!this.isKnown(type)) throw bpfError('BPF_BTF_LOAD', 'EINVAL');
    }
    return super.load(bytes, logSize);
  }
}

/** What Linux 5.4 knows: functions without linkage, variables, no tags, no 64-bit and no signed enums. */
export function isKnownTo54(type: Type): boolean {
  if (type.kind === 'FUNC') return type.linkage === FuncLinkage.STATIC;
  if (type.kind === 'ENUM') return !type.signed;
  return !['FLOAT', 'DECL_TAG', 'TYPE_TAG', 'ENUM64'].includes(type.kind);
}
