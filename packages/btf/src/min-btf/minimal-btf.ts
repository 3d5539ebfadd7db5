import type { Rebuilt } from '../build/write-btf.js';
import { isEnumKind, isFieldKind, localPath } from '../core/access.js';
import { Candidates, type CandidateType } from '../core/candidates.js';
import { CoreTypes } from '../core/core-types.js';
import { matchCandidate } from '../core/match.js';
import { CoreWork, refusal } from '../core/refusal.js';
import { rulesOf } from '../core/resolve.js';
import type { BpfLoader, LoaderRules } from '../core/rules/loader-rules.js';
import { refusalOf } from '../core/trial.js';
import type { CoreRelocation } from '../ext/records.js';
import { BtfFormatError } from '../format-error.js';
import { type BpfObject, readBtfExt } from '../object/bpf-object.js';
import { longOf } from '../query/pointer-size.js';
import type { Spec } from '../spec.js';
import { Keeper } from './keeper.js';
import { KeptTypes } from './kept-types.js';

/** MinimalBtfOptions are the options of {@link minimalBtf}. */
export interface MinimalBtfOptions {
  /** Whose rules hold. Default: `libbpf`. */
  readonly loader?: BpfLoader;
}

/**
 * minimalBtf makes a small BTF with the types of a kernel that the CO-RE relocations of some BPF objects need. A loader that
 * is given it instead of the BTF of the kernel relocates these objects in the same way, except that the ids of types differ.
 * So an agent can ship it for kernels without BTF: a few kilobytes for each, instead of megabytes.
 *
 * It does not promise the same for relocations that the loader refuses with the BTF of the kernel, so check the objects first.
 *
 * It has the members and values that relocations ask for, of all types that may stand for a local one. A pointer is a
 * `void *` unless a relocation asks for the type that it leads to. It lacks functions and everything else that programs need apart from relocations.
 * Relocations of programs that are not loaded by default are included.
 *
 * ```ts
 * const { bytes } = minimalBtf([parseBpfObject(object)], vmlinux);
 * ```
 *
 * Modelled on `bpftool gen min_core_btf`, which keeps only the first type of several that match.
 *
 * @param target the BTF of vmlinux. The result has its byte order.
 * @returns an empty BTF if no relocation finds anything.
 * @throws BtfFormatError `MALFORMED`, `UNSUPPORTED` and `LIMIT_EXCEEDED` as {@link readBtfExt} does.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if the relocations of an object take more than 16 million steps.
 * @throws BtfFormatError `INVALID_ARGUMENT` if the loader is unknown, or the target is split BTF.
 * @throws BtfFormatError for types with invalid names.
 */
export function minimalBtf(
  objects: Iterable<BpfObject>,
  target: Spec,
  { loader = 'libbpf' }: MinimalBtfOptions = {},
): Rebuilt {
  const rules = rulesOf(loader);
  if (target.base !== null) {
    const message = 'the target is split BTF, but a loader takes one that stands alone: use that of vmlinux';
    throw new BtfFormatError('INVALID_ARGUMENT', message);
  }
  const kept = new KeptTypes(target);
  for (const object of objects) keepForObject(object, target, rules, kept);
  const long = longOf(target);
  if (long?.size === 4) kept.add(long.id);
  return kept.write();
}

function keepForObject(object: BpfObject, target: Spec, rules: LoaderRules, kept: KeptTypes): void {
  const work = new CoreWork();
  const types = new CoreTypes(target, 'vmlinux', work);
  const job: Job = {
    local: new CoreTypes(object.spec, 'the object', work, 8),
    candidates: new Candidates({ kernel: target }, rules, work),
    rules,
    work,
    keeper: new Keeper(kept, types, work),
  };
  const blocks = readBtfExt(object)?.relocations ?? [];
  for (const relocation of blocks.flatMap(({ relocations }) => relocations)) {
    try {
      keepForRelocation(relocation, job);
    } catch (error) {
      // A loader refuses the relocation with any BTF.
      refusalOf(error, work);
    }
  }
}

interface Job {
  readonly local: CoreTypes;
  readonly candidates: Candidates;
  readonly rules: LoaderRules;
  readonly work: CoreWork;
  readonly keeper: Keeper;
}

/**
 * Keeps what a relocation finds in each candidate, also in those that the loader drops because of an earlier relocation: that
 * depends on which programs are loaded.
 */
function keepForRelocation(relocation: CoreRelocation, job: Job): void {
  const { kind, typeId } = relocation;
  const { local: types, candidates, work, keeper } = job;
  if (kind === 'TYPE_ID_LOCAL' || typeId >= types.spec.endTypeId) return;
  if (types.nameOf(typeId) === '') return;
  for (const candidate of candidates.find(types, typeId)) {
    try {
      keepMatch(relocation, candidate, job);
    } catch (error) {
      // A type for which libbpf gives up is kept, so that it does so again.
      refusalOf(error, work);
      keeper.root(candidate.typeId);
    }
  }
}

function keepMatch({ kind, typeId, access }: CoreRelocation, candidate: CandidateType, job: Job): void {
  const { local: types, rules, work, keeper } = job;
  if (kind === null) throw refusal('unknown kind of relocation');
  const local = localPath(types, kind, typeId, access, rules);
  if (kind === 'TYPE_MATCHES') {
    keeper.compared(types, typeId, candidate.typeId, rules);
    return;
  }
  const { path } = matchCandidate(kind, local, candidate, rules, work);
  if (path === null) return;
  if (isFieldKind(kind)) keeper.path(candidate.typeId, path.indexes);
  else if (isEnumKind(kind)) keeper.value(candidate.typeId, path.indexes[0] ?? 0);
  else keeper.root(candidate.typeId);
}
