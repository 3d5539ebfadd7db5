import type { ByteOrder } from '../header.js';
import type { PointerSize } from '../query/pointer-size.js';
import type { Spec } from '../spec.js';
import { Kind } from '../types.js';
import { checkHeader } from './check-header.js';
import { TypeCheck } from './check-type.js';
import { KERNEL_FEATURES, type KernelFeatures } from '../kernel/kernel-features.js';
import { NameRules } from './name-rules.js';
import { type Problem, ProblemList } from './problem.js';
import { RawTypes } from './raw-types.js';
import { Resolution } from './resolution.js';
import { Resolver } from './resolver.js';
import { checkSpecialFields } from './special-fields.js';
import { checkTypeTagOrder } from './type-tag-order.js';

/** ValidateOptions are the options of {@link validate}. */
export interface ValidateOptions {
  /**
   * Features of the kernel: probed ones, such as those that a daemon reports, or `kernelFeaturesOf(6, 1)` for a release.
   * Default: {@link KERNEL_FEATURES}.
   */
  readonly kernelFeatures?: Partial<KernelFeatures>;
  /** The kernel's byte order, which a BTF must share. Default: that of the BTF. */
  readonly byteOrder?: ByteOrder;
  /** Bytes of the kernel's pointers. Default: 8. */
  readonly pointerSize?: PointerSize;
  /** Maximum number of problems to find, at least 1. Default: 100. */
  readonly maxProblems?: number;
}

/**
 * validate returns the reasons for which the kernel would reject a BTF (`BPF_BTF_LOAD`), in the words of its log. It
 * needs no privilege and no kernel.
 *
 * It follows the kernel's check (kernel/bpf/btf.c of Linux 7.3) in two passes: first each type alone, then the
 * references between types. The kernel stops at its first problem. This function finds all problems of one pass, and
 * only starts the next pass if there are none, because that relies on it. A type that depends on a type with a problem
 * in the second pass is not reported again.
 *
 * Split BTF is checked as the kernel checks that of a module. BPF_BTF_LOAD cannot load it. Of its base, only the types
 * that it refers to matter.
 *
 * One reported problem is not an error in the kernel: of more than 1,048,574 types, it silently drops the rest.
 *
 * A third step checks the structs with fields that are special to BPF programs (`bpf_spin_lock`, `bpf_list_head` and
 * the like, pointers tagged `kptr`). The kernel logs nothing about these, so the message ends with the name of the
 * errno. Sizes are those of Linux 6.6 and later. One rule is left out, because it depends on the running kernel: a
 * pointer tagged `kptr` to a struct with the name of one of the kernel's own types is rejected unless the kernel can
 * release that type.
 *
 * It reads each word a bounded number of times and takes 21 bytes of memory for each type (25 if a function has a parameter
 * without a name), a bit for each byte of the strings, and a copy of the types if they are split or their byte order is not
 * that of this machine. If it finds a root of a list or tree, it also makes maps of the names of structs and of the
 * declaration tags.
 *
 * Never throws: a Spec has a valid header.
 *
 * @returns an empty array if the kernel would accept the BTF.
 */
export function validate(spec: Spec, options: ValidateOptions = {}): Problem[] {
  const features = { ...KERNEL_FEATURES, ...options.kernelFeatures };
  const problems = new ProblemList(Math.max(1, options.maxProblems ?? 100));
  const types = new RawTypes(spec);
  const names = new NameRules(types.strings, features);
  if (options.byteOrder !== undefined && options.byteOrder !== spec.byteOrder)
    problems.add(null, 'Invalid magic');
  checkHeader(spec, features, problems);
  const check = new TypeCheck(types, names, features, problems);
  for (let id = spec.firstTypeId; id < spec.endTypeId && !problems.full; id++) check.check(id);
  if (problems.list.length > 0) return problems.list;

  const resolution = new Resolution(types, options.pointerSize ?? 8);
  // Resolve the types of the base as far as possible. Their problems are not problems of this BTF.
  resolveAll(
    types,
    new Resolver(types, names, resolution, features, new ProblemList(0)),
    1,
    spec.firstTypeId,
  );
  resolveAll(
    types,
    new Resolver(types, names, resolution, features, problems),
    spec.firstTypeId,
    spec.endTypeId,
  );
  if (problems.list.length === 0) checkTypeTagOrder(types, spec.firstTypeId, features, problems);
  // Only BPF_BTF_LOAD searches for special fields: the BTF of a module passes without.
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
