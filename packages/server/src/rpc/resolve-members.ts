import { checkCount, invalidRequest } from '../error/service-error.js';
import { Encoded, type WorkerRpc } from '../grpc/rpc.js';
import { factsOf } from './info-details.js';
import { isOfKernel, KernelBtf } from './kernel-btf.js';
import { KernelMembers } from './kernel-members.js';
import type { Services } from './services.js';
import { requireBase } from '../source/find-base.js';
import { requireSpecName } from '../source/spec-name.js';
import { onlyItem } from '../pool/run.js';

const MAX_PATHS = 1_000;
const MAX_PATH_LENGTH = 1_024;

/** resolveMembers serves ResolveMembers. */
export function resolveMembers(
  { specs, workers, responses, files }: Pick<Services, 'specs' | 'workers' | 'responses' | 'files'>,
  kernelBtf = new KernelBtf(),
): WorkerRpc<'resolveMembers'> {
  const kernelMembers = new KernelMembers(kernelBtf);
  return async ({ source, paths, base: baseName }, call) => {
    const { caller } = call;
    const name = requireSpecName(source);
    checkCount('paths', paths, MAX_PATHS);
    for (const [index, path] of paths.entries()) {
      if (path.length > MAX_PATH_LENGTH) {
        throw invalidRequest(`paths[${index}]`, `has more than ${MAX_PATH_LENGTH} characters`);
      }
    }
    using object = await specs.find(name, caller);
    call.note(factsOf(object.info));
    const { btf } = object;
    using base = await requireBase(object, baseName, specs, caller);
    call.throwIfAborted();
    const shared = base?.btf.shared ?? null;
    const job = { name: 'resolve', btf: btf.shared, base: shared, paths, digest: btf.digest } as const;
    const [kept] = responses.get(job) ?? [];
    if (kept !== undefined) return new Encoded(kept);
    const few = isOfKernel(object.info, files) ? kernelMembers.resolve(btf, paths) : null;
    const answer = few ?? (await onlyItem(workers.run(job, caller.principal, call.signal)));
    responses.keep(job, [answer]);
    return new Encoded(answer);
  };
}
