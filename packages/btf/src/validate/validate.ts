import type { ByteOrder } from '../header.js';
import type { PointerSize } from '../query/pointer-size.js';
import type { Spec } from '../spec.js';
import { Kind } from '../types.js';
import { checkHeader } from './check-header.js';
import { TypeCheck } from './check-type.js';
import { KERNEL_FEATURES, type KernelFeatures } from './kernel-features.js';
import { NameRules } from './name-rules.js';
import { type Problem, ProblemList } from './problem.js';
import { RawTypes } from './raw-types.js';
import { Resolution } from './resolution.js';
import { Resolver } from './resolver.js';
import { checkSpecialFields } from './special-fields.js';
import { checkTypeTagOrder } from './type-tag-order.js';

/** ValidateOptions are the options of {@link validate}. */
export interface ValidateOptions {
  /** What the kernel can do. Default: {@link KERNEL_FEATURES}; `kernelFeaturesOf(6, 1)` for a release. */
  readonly kernelFeatures?: Partial<KernelFeatures>;
  /** The kernel's byte order, which a BTF must share. Default: that of the BTF. */
  readonly byteOrder?: ByteOrder;
  /** Bytes of the kernel's pointers. Default: 8. */
  readonly pointerSize?: PointerSize;
  /** Most problems to find. Default: 100. */
  readonly maxProblems?: number;
}

/**
 * validate finds what the kernel would refuse to load a BTF for (`BPF_BTF_LOAD`), in the words of its log.
 *
 * It follows the kernel's verifier (kernel/bpf/btf.c of Linux 7.2) in two passes: first each type for itself,
 * then the references between types. The kernel stops at its first problem; this finds those of one pass,
 * and goes on to the next only where there are none, as it relies on that. What depends on a
 * type that fails in the second pass is not told again.
 *
 * Split BTF is checked as the kernel checks a module's; it cannot be loaded by BPF_BTF_LOAD. Of its base only
 * what it refers to matters.
 *
 * One thing is told that the kernel accepts: of more than 1,048,574 types it silently drops those behind.
 *
 * Then it checks the structs with fields that are special to BPF programs (`bpf_spin_lock`, `bpf_list_head` and the
 * like, pointers tagged `kptr`). The kernel logs nothing about these; the message ends with the name of its errno.
 * One rule is left out, as it depends on the running kernel: a pointer tagged `kptr` to a struct whose name one of the
 * kernel's own types has is refused unless the kernel knows how to release that type. Sizes are those of Linux 6.6 and
 * later.
 *
 * It reads each word a bounded number of times and takes nine bytes of memory for each type; where a root of a list or
 * tree is found, also a map of the structs' names and of the declaration tags.
 *
 * @returns an empty array where the kernel would accept the BTF.
 */
export function validate(spec: Spec, options: ValidateOptions = {}): Problem[] {
  const features = { ...KERNEL_FEATURES, ...options.kernelFeatures };
  const problems = new ProblemList(options.maxProblems ?? 100);
  const types = new RawTypes(spec);
  const names = new NameRules(types.strings, features);
  if (options.byteOrder !== undefined && options.byteOrder !== spec.byteOrder)
    problems.add(null, 'Invalid magic');
  checkHeader(spec, features, problems);
  const check = new TypeCheck(types, names, features, problems);
  for (let id = spec.firstTypeId; id < spec.endTypeId && !problems.full; id++) check.check(id);
  if (problems.list.length > 0) return problems.list;

  const resolution = new Resolution(types, options.pointerSize ?? 8);
  // The types of the base are resolved, as far as they can be; what is wrong with them is not this BTF's fault.
  resolveAll(types, new Resolver(types, names, resolution, new ProblemList(0)), 1, spec.firstTypeId);
  resolveAll(types, new Resolver(types, names, resolution, problems), spec.firstTypeId, spec.endTypeId);
  if (problems.list.length === 0) checkTypeTagOrder(types, spec.firstTypeId, problems);
  // Only BPF_BTF_LOAD looks for special fields: the BTF of a module passes without.
  if (problems.list.length === 0 && spec.base === null)
    checkSpecialFields(types, resolution, features, problems);
  return problems.list;
}

function resolveAll(types: RawTypes, resolver: Resolver, first: number, end: number): void {
  for (let id = first; id < end; id++) {
    resolver.resolve(id);
    if (types.kind(id) === Kind.FUNC_PROTO) resolver.checkPrototype(id);
  }
}
