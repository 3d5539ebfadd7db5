import type { Clock } from '../base/clock.js';
import type { HandleTable } from '../handle/handle-table.js';
import type { Access } from '../kernel/access.js';
import type { KernelFeatures } from '../kernel/features.js';
import type { BtfFiles } from '../kernel/btf-files.js';
import type { Kernel } from '../kernel/kernel.js';
import type { ObjectList } from '../kernel/object-list.js';
import type { ObjectNames } from '../kernel/object-names.js';
import type { Limits } from '../config/limits.js';
import type { LoadQueue } from '../kernel/load-queue.js';
import type { Quotas } from '../quota/quotas.js';
import type { KernelBuild } from '../source/kernel-build.js';
import type { SpecSource } from '../source/spec-source.js';
import type { UserScanner } from '../users/user-scanner.js';
import type { ObjectWatch } from '../watch/object-watch.js';
import type { JobRunner } from '../pool/job.js';
import type { KeptResponses } from '../pool/kept-responses.js';

/** Services are the parts of the daemon that RPCs use. */
export interface Services {
  readonly version: string;
  /** Returns the name of the node, or '' if it has none. The host name can change at any time. */
  readonly nodeName: () => string;
  readonly kernel: Kernel;
  readonly files: BtfFiles;
  readonly access: Access;
  readonly features: KernelFeatures;
  readonly loads: LoadQueue;
  readonly objects: ObjectList;
  readonly names: ObjectNames;
  readonly handles: HandleTable;
  readonly specs: SpecSource;
  readonly build: KernelBuild;
  readonly users: UserScanner;
  readonly workers: JobRunner;
  readonly responses: KeptResponses;
  readonly quotas: Quotas;
  readonly watch: ObjectWatch;
  readonly limits: Limits;
  readonly clock: Clock;
}
