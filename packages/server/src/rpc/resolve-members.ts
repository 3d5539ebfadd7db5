import type { SpecBase } from '@btfd/api';
import { checkCount, invalidRequest } from '../error/service-error.js';
import { Encoded, type RpcCall, type WorkerRpc } from '../grpc/rpc.js';
import { factsOf } from './info-details.js';
import { isOfKernel, KernelBtf } from './kernel-btf.js';
import { KernelMembers } from './kernel-members.js';
import type { Services } from './services.js';
import { requireBase } from '../source/find-base.js';
import type { LoadedBtf } from '../source/loaded-btf.js';
import { requireSpecName } from '../source/spec-name.js';
import type { SpecObject } from '../source/spec-source.js';
import type { ResolveJob } from '../pool/job.js';
import { onlyItem } from '../pool/run.js';

const MAX_PATHS = 1_000;
const MAX_PATH_LENGTH = 1_024;

/** resolveMembers serves ResolveMembers. */
export function resolveMembers(
  { specs, workers, responses, files }: Pick<Services, 'specs' | 'workers' | 'responses' | 'files'>,
  kernelBtf = new KernelBtf(),
): WorkerRpc<'resolveMembers'> {
  const kernelMembers = new KernelMembers(kernelBtf);
  return ({ source, paths, base }, call) => {
    const name = requireSpecName(source);
    checkCount('paths', paths, MAX_PATHS);
    for (const [index, path] of paths.entries()) {
      if (path.length > MAX_PATH_LENGTH) {
        throw invalidRequest(`paths[${index}]`, `has more than ${MAX_PATH_LENGTH} characters`);
      }
    }
    const vmlinux = base?.source.case === undefined ? specs.atOnce(name, call.caller) : null;
    const kept = vmlinux === null ? null : keptFor(jobOf(vmlinux.btf, null, paths));
    if (vmlinux === null || kept === null) {
      return resolve(vmlinux ?? specs.find(name, call.caller), paths, base, call);
    }
    using _ = vmlinux;
    call.note(factsOf(vmlinux.info));
    call.throwIfAborted();
    return kept;
  };

  function keptFor(job: ResolveJob): Encoded | null {
    const [kept] = responses.get(job) ?? [];
    return kept === undefined ? null : new Encoded(kept);
  }

  /** Disposes of the object. */
  async function resolve(
    found: SpecObject | Promise<SpecObject>,
    paths: readonly string[],
    baseName: SpecBase | undefined,
    call: RpcCall,
  ): Promise<Encoded> {
    using object = await found;
    const { caller } = call;
    call.note(factsOf(object.info));
    const { btf } = object;
    using base = await requireBase(object, baseName, specs, caller);
    call.throwIfAborted();
    const job = jobOf(btf, base?.btf ?? null, paths);
    const kept = keptFor(job);
    if (kept !== null) return kept;
    const few = isOfKernel(object.info, files) ? kernelMembers.resolve(btf, paths) : null;
    const answer = few ?? (await onlyItem(workers.run(job, caller.principal, call.signal)));
    responses.keep(job, [answer]);
    return new Encoded(answer);
  }
}

function jobOf(btf: LoadedBtf, base: LoadedBtf | null, paths: readonly string[]): ResolveJob {
  return { name: 'resolve', btf: btf.shared, base: base?.shared ?? null, paths, digest: btf.digest };
}
