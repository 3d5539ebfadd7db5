import type { Encoding, HandleInfoSchema, SelectionResultSchema, VerdictName } from '@btfd/api';
import type { BpfLoader, KernelFeatures } from '@btfd/btf';
import type { VerifierLog } from '@btfd/native';
import type { Init } from '../base/message.js';
import type { Selection } from '../base/selection.js';
import type { KindLayout } from '../base/kind-layout.js';
import type { LoadEstimate } from '../base/load-estimate.js';

/** SharedBtf is raw BTF in memory shared between threads. It never changes. */
export interface SharedBtf {
  /** Its SHA-256 in hexadecimal. */
  readonly digest: string;
  readonly bytes: Uint8Array;
}

/** SpecJob decodes an object's types, or a selection of them, and encodes the messages of Spec. */
export interface SpecJob {
  readonly name: 'spec';
  readonly btf: SharedBtf;
  readonly base: SharedBtf | null;
  readonly encoding: Encoding;
  /** A selection whose fields were checked, or null for all types. RAW needs one. */
  readonly selection: Selection | null;
  readonly chunkBytes: number;
  readonly maxCBytes: number;
  /** The form of C. */
  readonly cFormat: CFormat;
}

/** CFormat is the form of a C header. */
export interface CFormat {
  readonly sorted: boolean;
  readonly kfuncs: boolean;
  readonly assertions: boolean;
}

/** SpecItem is the result of the selection, which comes first if there is one, or an encoded SpecResponse. */
export type SpecItem =
  | { readonly case: 'selection'; readonly value: Init<typeof SelectionResultSchema> }
  | { readonly case: 'message'; readonly value: Uint8Array };

/** ResolveJob resolves the paths of ResolveMembers. Its only item is the encoded ResolveMembersResponse. */
export interface ResolveJob {
  readonly name: 'resolve';
  readonly btf: SharedBtf;
  readonly base: SharedBtf | null;
  readonly paths: readonly string[];
  /** The digest of the object, for the response. */
  readonly digest: Uint8Array;
}

/** LoadJob makes the BTF to load into the kernel, and screens it. It has one item. */
export interface LoadJob {
  readonly name: 'load';
  readonly source: LoadSource;
  /** The features of the kernel that BTF is adapted to, or null to leave it as it is. */
  readonly adaptTo: Partial<KernelFeatures> | null;
  /** How long the kernel's check may take by estimate, in milliseconds. */
  readonly maxCheckMs: number;
  /** The layout section of the kernel's own BTF, to verify the sizes of unknown kinds. */
  readonly kernelLayout: KindLayout;
}

/** LoadItem is the raw BTF to load, and the estimate for it. */
export interface LoadItem {
  readonly case: 'load';
  readonly value: Uint8Array;
  readonly estimate: LoadEstimate;
}

/** LoadSource is raw BTF, or an encoded TypeList to build it from. */
export interface LoadSource {
  readonly case: 'rawBtf' | 'types';
  readonly value: Uint8Array;
}

/**
 * RejectionJob reads the kernel's log about BTF, which is megabytes of arbitrary bytes. Its only item is the encoded
 * LoadHandleResponse with the rejection.
 */
export interface RejectionJob {
  readonly name: 'rejection';
  readonly errno: number;
  readonly errnoName: string;
  readonly log: VerifierLog | null;
  /** The limit of the text as UTF-8. */
  readonly maxTextBytes: number;
}

/** CheckJob judges whether a BPF object fits a kernel, and encodes the messages of CheckObject. */
export interface CheckJob {
  readonly name: 'check';
  /** The object file, in memory shared between threads. */
  readonly object: Uint8Array;
  readonly kernel: SharedBtf;
  /** The modules to search, in order; null if they were not read. The job ends with the item `modules` if it needs them. */
  readonly modules: readonly CheckModule[] | null;
  readonly loader: BpfLoader;
  /** The names of the programs to load; null for those that the loader loads by default. */
  readonly programs: readonly string[] | null;
  readonly variables: ReadonlyMap<string, Uint8Array>;
  readonly attachTargets: ReadonlyMap<string, string>;
  /** As in LINUX_KERNEL_VERSION; null if it is unknown. */
  readonly kernelVersion: number | null;
  /** Whether every finding is sent. */
  readonly all: boolean;
  /** The number of messages to leave out, because a job without modules made them. */
  readonly sent: number;
  readonly chunkBytes: number;
}

/** CheckModule is a module of the kernel whose BTF was read. */
export interface CheckModule {
  readonly info: Init<typeof HandleInfoSchema>;
  readonly btf: SharedBtf;
}

/** CheckItem is a part of a report, or says that the check needs the modules. Either is the end of it. */
export type CheckItem = CheckPart | { readonly case: 'modules'; readonly value: null };

/** CheckPart is encoded messages of a report. */
export interface CheckPart {
  readonly case: 'messages';
  /** One or more CheckObjectResponses, each after the other. */
  readonly value: Uint8Array;
  /** The end of each message in `value`. */
  readonly ends: readonly number[];
  /** The verdict on the object if the last message is that of the report; otherwise null. */
  readonly verdict: VerdictName | null;
}

/** Job is work that takes too long for the event loop. */
export type Job = SpecJob | ResolveJob | LoadJob | RejectionJob | CheckJob;

/** ItemOf has the type of the items of each job, by the job's name. */
export interface ItemOf {
  readonly spec: SpecItem;
  readonly resolve: Uint8Array;
  readonly load: LoadItem;
  readonly rejection: Uint8Array;
  readonly check: CheckItem;
}

/** Item is an item of any job. */
export type Item = ItemOf[Job['name']];

/** Steps are the work of a job. Each step ends with an item, or with null when other jobs may have a turn. */
export type Steps<Of> = Generator<Of | null, void, void>;

/** JobRunner does jobs. */
export interface JobRunner {
  /**
   * run does a job for a principal. It makes each item when it is requested. Leaving the iteration or aborting the
   * signal ends the job at its next step. The number of jobs of one principal is limited. More jobs wait, without delaying
   * those of other principals.
   *
   * @param transfer buffers of the job that are given away.
   * @throws ServiceError if the job fails, takes too much time or memory, or loses its worker.
   * @throws the signal's reason if it aborts.
   */
  run<J extends Job>(
    job: J,
    principal: string,
    signal: AbortSignal,
    transfer?: readonly ArrayBuffer[],
  ): AsyncGenerator<ItemOf[J['name']], void, void>;
}
