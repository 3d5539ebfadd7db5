import type { SpecBase } from '@btfd/api';
import { checkCount, invalidRequest } from '../error/service-error.js';
import { Encoded, type RpcCall, type WorkerRpc } from '../grpc/rpc.js';
import { factsOf } from './info-details.js';
import { isOfKernel, KernelBtf } from './kernel-btf.js';
import { KernelMembers } from './kernel-members.js';
import type { Services } from './services.js';
import { requireBase } from '../source/find-base.js';
import type { LoadedBtf } from '../source/loaded-btf.js';
import { requireSpecName, type SpecName } from '../source/spec-name.js';
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
    const kept = base?.source.case === undefined ? keptAtOnce(name, paths, call) : null;
    return kept ?? resolve(name, paths, base, call);
  };

  /** Returns the response about the kernel's own BTF if it is kept; otherwise null. */
  function keptAtOnce(name: SpecName, paths: readonly string[], call: RpcCall): Encoded | null {
    using object = specs.atOnce(name, call.caller);
    if (object === null || object.btf.split) return null;
    call.note(factsOf(object.info));
    call.throwIfAborted();
    const [kept] = responses.get(jobOf(object.btf, null, paths)) ?? [];
    return kept === undefined ? null : new Encoded(kept);
  }

  async function resolve(
    name: SpecName,
    paths: readonly string[],
    baseName: SpecBase | undefined,
    call: RpcCall,
  ): Promise<Encoded> {
    const { caller } = call;
    using object = await specs.find(name, caller);
    call.note(factsOf(object.info));
    const { btf } = object;
    using base = await requireBase(object, baseName, specs, caller);
    call.throwIfAborted();
    const job = jobOf(btf, base?.btf ?? null, paths);
    const [kept] = responses.get(job) ?? [];
    if (kept !== undefined) return new Encoded(kept);
    const few = isOfKernel(object.info, files) ? kernelMembers.resolve(btf, paths) : null;
    const answer = few ?? (await onlyItem(workers.run(job, caller.principal, call.signal)));
    responses.keep(job, [answer]);
    return new Encoded(answer);
  }
}

function jobOf(btf: LoadedBtf, base: LoadedBtf | null, paths: readonly string[]): ResolveJob {
  return { name: 'resolve', btf: btf.shared, base: base?.shared ?? null, paths, digest: btf.digest };
}
