import { HandleTable } from '../handle/handle-table.js';
import { filesOnly, probeAccess } from '../kernel/access.js';
import { BtfFiles } from '../kernel/btf-files.js';
import { KernelFeatures } from '../kernel/features.js';
import { ObjectList } from '../kernel/object-list.js';
import { ObjectNames } from '../kernel/object-names.js';
import { OwnLoads } from '../kernel/own-loads.js';
import { LoadQueue } from '../kernel/load-queue.js';
import { DEFAULT_LIMITS, type Limits } from '../config/limits.js';
import { makeQuotas } from '../quota/quotas.js';
import type { Services } from '../rpc/services.js';
import { KeptResponses } from '../pool/kept-responses.js';
import { BtfCache } from '../source/btf-cache.js';
import { KernelBuild } from '../source/kernel-build.js';
import { SpecSource, type UnknownListener } from '../source/spec-source.js';
import { UserScanner } from '../users/user-scanner.js';
import { ObjectWatch } from '../watch/object-watch.js';
import type { FakeKernel } from './fake-kernel.js';
import { InlineJobs } from './inline-jobs.js';
import { ManualClock } from './manual-clock.js';

/** EPOCH is the epoch of the daemon in tests. */
export const EPOCH = '0123456789abcdef';

/** ServicesForTest are services on fakes. */
export interface ServicesForTest extends Services {
  readonly kernel: FakeKernel;
  readonly clock: ManualClock;
}

/** ServicesChoices are the options of `makeServices`. */
export interface ServicesChoices {
  /** The folder of BTF files. Default: none. */
  readonly dir?: string;
  /** Serve the folder instead of the kernel. */
  readonly filesOnly?: boolean;
  readonly limits?: Partial<Limits>;
  /** The procfs. Default: a folder that does not exist. */
  readonly procDir?: string;
  /** Called for BTF with unknown parts. Default: none. */
  readonly onUnknown?: UnknownListener;
}

/** makeServices returns services, wired like those of the daemon. */
export async function makeServices(
  kernel: FakeKernel,
  choices: ServicesChoices = {},
): Promise<ServicesForTest> {
  const { dir = '/nonexistent', limits: own = {}, procDir = '/nonexistent' } = choices;
  const clock = new ManualClock();
  const limits = { ...DEFAULT_LIMITS, ...own };
  const files = new BtfFiles(dir, limits.maxFileBytes);
  const access = choices.filesOnly === true ? filesOnly(dir) : await probeAccess(kernel, files);
  const ownLoads = new OwnLoads(kernel);
  const features = new KernelFeatures(ownLoads);
  const loads = new LoadQueue(kernel, limits);
  const objects = new ObjectList(kernel, files, access, ownLoads, clock);
  const names = new ObjectNames(kernel, files, objects);
  const quotas = makeQuotas(limits);
  const handles = new HandleTable(EPOCH, clock, quotas);
  const cache = new BtfCache(limits.specCacheBytes);
  const specs = new SpecSource(
    kernel,
    access,
    files,
    names,
    handles,
    cache,
    quotas.specBytes,
    choices.onUnknown,
  );
  const users = new UserScanner(kernel, procDir, clock);
  const watch = new ObjectWatch(objects, limits, clock);
  return {
    version: '0.0.0',
    nodeName: () => 'node-1',
    kernel,
    files,
    access,
    features,
    loads,
    objects,
    names,
    handles,
    specs,
    build: new KernelBuild(kernel, files, objects, names, specs),
    users,
    responses: new KeptResponses(limits.responseCacheBytes),
    workers: new InlineJobs(),
    quotas,
    watch,
    limits,
    clock,
  };
}
