import { machine, release } from 'node:os';
import {
  BpfLoader as LoaderNumber,
  type CheckObjectRequest,
  type CheckObjectResponseSchema,
  type ModuleScope,
  type ObjectHeaderSchema,
  Origin,
  type SpecBase,
} from '@btfd/api';
import type { BpfLoader } from '@btfd/btf';
import type { Caller } from '../auth/caller.js';
import type { Init } from '../base/message.js';
import { sha256 } from '../base/slices.js';
import { checkCount, invalidRequest } from '../error/service-error.js';
import { Encoded, type RpcCall, type WorkerRpc } from '../grpc/rpc.js';
import { runningKernelVersion } from '../kernel/kernel-version.js';
import { originOf } from '../kernel/origin.js';
import type { CheckJob, CheckModule, CheckPart } from '../pool/job.js';
import type { Quota } from '../quota/quota.js';
import { loadModules } from '../source/modules.js';
import { requireSpecName, type SpecName } from '../source/spec-name.js';
import type { SpecObject } from '../source/spec-source.js';
import { infoMessage } from './handle-message.js';
import { factsOf } from './info-details.js';
import { isOfKernel } from './kernel-btf.js';
import type { Services } from './services.js';

const MAX_MODULES = 1_000;
const MAX_PROGRAMS = 1_000;
const MAX_VARIABLES = 256;
const MAX_ATTACH_TARGETS = 1_000;

const LOADERS: ReadonlyMap<LoaderNumber, BpfLoader> = new Map([
  [LoaderNumber.UNSPECIFIED, 'libbpf'],
  [LoaderNumber.LIBBPF, 'libbpf'],
  [LoaderNumber.CILIUM_EBPF, 'cilium'],
]);

/** The part of a job that follows from the request alone. */
type CheckOptions = Pick<CheckJob, 'loader' | 'programs' | 'variables' | 'attachTargets' | 'all'>;

/** checkObject serves CheckObject. */
export function checkObject(services: Services): WorkerRpc<'checkObject'> {
  const { specs, objects, quotas, limits, files } = services;
  const ownVersion = runningKernelVersion();
  return async function* (request, call) {
    const { caller } = call;
    const options = checkedOptions(request);
    using object = await shareObject(request.object, quotas.objectBytes, caller);
    call.note({ objectBytes: object.bytes.length, objectDigest: Buffer.from(object.digest).toString('hex') });
    using kernel = await specs.find(kernelName(request.kernel), caller);
    call.note(factsOf(kernel.info));
    if (kernel.btf.split) throw invalidRequest('kernel', 'is split BTF, and not that of a kernel');
    const names = moduleNames(request.modules, kernel);
    using known = names === null ? null : await loadModules(names, objects, specs, call);
    call.throwIfAborted();
    const isRunning = isOfKernel(kernel.info, files);
    const kernelVersion = request.kernelVersion || (isRunning ? (ownVersion ?? 0) : 0);
    yield headerMessage(kernel, {
      objectDigest: object.digest,
      loader: options.loader === 'libbpf' ? LoaderNumber.LIBBPF : LoaderNumber.CILIUM_EBPF,
      kernelVersion,
      ...(isRunning ? { kernelRelease: release(), machine: machine() } : {}),
    });
    const job: CheckJob = {
      ...options,
      name: 'check',
      object: object.bytes,
      kernel: kernel.btf.shared,
      modules: known === null ? null : known.all.map(checkModule),
      kernelVersion: kernelVersion === 0 ? null : kernelVersion,
      sent: 0,
      chunkBytes: limits.chunkBytes,
    };
    for await (const { value, ends, verdict } of partsOf(job, services, call)) {
      if (verdict !== null) call.note({ verdict });
      let start = 0;
      for (const end of ends) {
        yield new Encoded(value.subarray(start, end));
        start = end;
      }
    }
  };
}

/** An object file in memory that is shared with workers. Its bytes count for the caller until it is disposed of. */
interface SharedObject extends Disposable {
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes. */
  readonly digest: Uint8Array;
}

/**
 * Copies an object into shared memory. It counts twice, because the request keeps its own. Until now, the request
 * was counted as it was sent.
 *
 * @throws ServiceError QUOTA_EXCEEDED if there is no room.
 */
async function shareObject(object: Uint8Array, quota: Quota, { principal }: Caller): Promise<SharedObject> {
  const claim = quota.take(principal, 2 * object.length);
  try {
    const bytes = new Uint8Array(new SharedArrayBuffer(object.length));
    const digest = await sha256(object, (slice, at) => bytes.set(slice, at));
    return { bytes, digest, [Symbol.dispose]: () => claim[Symbol.dispose]() };
  } catch (error) {
    claim[Symbol.dispose]();
    throw error;
  }
}

/** Yields the parts of a report. If the job turns out to need modules, it starts again with all that are loaded. */
async function* partsOf(
  job: CheckJob,
  { workers, objects, specs }: Pick<Services, 'workers' | 'objects' | 'specs'>,
  call: RpcCall,
): AsyncGenerator<CheckPart, void, void> {
  let sent = 0;
  for await (const item of workers.run(job, call.caller.principal, call.signal)) {
    if (item.case === 'modules') break;
    sent += item.ends.length;
    yield item;
    if (item.verdict !== null) return;
  }
  using loaded = await loadModules(null, objects, specs, call);
  yield* partsOf({ ...job, modules: loaded.all.map(checkModule), sent }, { workers, objects, specs }, call);
}

/**
 * Checks the fields of a request that name nothing of the kernel.
 *
 * @throws ServiceError INVALID_REQUEST if one is invalid.
 */
function checkedOptions(request: CheckObjectRequest): CheckOptions {
  const { object, programs, variables, attachTargets, all } = request;
  if (object.length === 0) throw invalidRequest('object', 'is empty');
  const loader = LOADERS.get(request.loader);
  if (loader === undefined) throw invalidRequest('loader', `${request.loader} is not a loader`);
  checkCount('programs', programs, MAX_PROGRAMS);
  checkCount('variables', variables, MAX_VARIABLES);
  checkCount('attach_targets', attachTargets, MAX_ATTACH_TARGETS);
  return {
    loader,
    programs: programs.length === 0 ? null : programs,
    variables: mapOf(
      'variables',
      variables.map(({ name, value }) => [name, value]),
    ),
    attachTargets: mapOf(
      'attach_targets',
      attachTargets.map(({ program, target }, index) => {
        if (target === '') throw invalidRequest(`attach_targets[${index}].target`, 'is empty');
        return [program, target];
      }),
    ),
    all,
  };
}

function mapOf<Value>(field: string, entries: readonly (readonly [string, Value])[]): Map<string, Value> {
  const map = new Map<string, Value>();
  for (const [index, [name, value]] of entries.entries()) {
    if (name === '') throw invalidRequest(`${field}[${index}]`, 'has no name');
    if (map.has(name)) throw invalidRequest(`${field}[${index}]`, `${JSON.stringify(name)} is there twice`);
    map.set(name, value);
  }
  return map;
}

function kernelName(kernel: SpecBase | undefined): SpecName {
  if (kernel === undefined) return { case: 'name', value: 'vmlinux' };
  if (kernel.source.case === undefined) throw invalidRequest('kernel', 'names no object');
  return requireSpecName(kernel.source);
}

/**
 * Returns the names of the modules that count, or null for all that are loaded.
 *
 * @throws ServiceError INVALID_REQUEST if the scope is invalid.
 */
function moduleNames(scope: ModuleScope | undefined, kernel: SpecObject): readonly string[] | null {
  const { case: kind, value } = scope?.scope ?? { case: undefined };
  const hasModules = originOf(kernel.info) === Origin.VMLINUX;
  switch (kind) {
    case undefined:
      return hasModules ? null : [];
    case 'none':
      if (!value) throw invalidRequest('modules.none', 'must be true');
      return [];
    case 'only':
      checkCount('modules.only.names', value.names, MAX_MODULES);
      if (!hasModules) throw invalidRequest('modules.only', 'is only for the kernel that the daemon serves');
      return value.names;
  }
}

function headerMessage(
  { info, btf }: SpecObject,
  fields: Init<typeof ObjectHeaderSchema>,
): Init<typeof CheckObjectResponseSchema> {
  const kernel = infoMessage(info, { digest: btf.digest });
  return { part: { case: 'header', value: { ...fields, kernel } } };
}

function checkModule({ info, btf }: SpecObject): CheckModule {
  return { info: infoMessage(info, { digest: btf.digest }), btf: btf.shared };
}
