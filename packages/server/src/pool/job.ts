import type { Encoding, SelectionResultSchema } from '@btfd/api';
import type { MarshalOptions } from '@btfd/btf';
import type { VerifierLog } from '@btfd/native';
import type { Init } from '../base/message.js';
import type { Selection } from '../base/selection.js';
import type { KindLayout } from '../base/kind-layout.js';

/** SharedBtf is raw BTF in memory that threads share, which never changes. */
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
  /** A selection whose fields were checked; null for everything. RAW needs one. */
  readonly selection: Selection | null;
  readonly chunkBytes: number;
  readonly maxCBytes: number;
}

/** SpecItem is what was selected, which comes first where anything was, or an encoded SpecResponse. */
export type SpecItem =
  | { readonly case: 'selection'; readonly value: Init<typeof SelectionResultSchema> }
  | { readonly case: 'message'; readonly value: Uint8Array };

/** ResolveJob follows the paths of ResolveMembers. Its one item is the encoded ResolveMembersResponse. */
export interface ResolveJob {
  readonly name: 'resolve';
  readonly btf: SharedBtf;
  readonly base: SharedBtf | null;
  readonly paths: readonly string[];
  /** What the response says of the object. */
  readonly digest: Uint8Array;
}

/** LoadJob makes what is loaded into the kernel, and screens it. Its one item is raw BTF. */
export interface LoadJob {
  readonly name: 'load';
  readonly source: LoadSource;
  /** How BTF is written for this kernel; null leaves it as it is. */
  readonly adapt: MarshalOptions | null;
  /** What the kernel's check may take by estimate, in milliseconds. */
  readonly maxCheckMs: number;
  /** The layout section of the kernel's own BTF, for judging kinds that are unknown here. */
  readonly kernelLayout: KindLayout;
}

/** LoadSource is raw BTF, or an encoded TypeList to build it of. */
export interface LoadSource {
  readonly case: 'rawBtf' | 'types';
  readonly value: Uint8Array;
}

/**
 * RejectionJob reads the verifier's log, megabytes of any bytes. Its one item is the encoded LoadHandleResponse that
 * answers the rejection.
 */
export interface RejectionJob {
  readonly name: 'rejection';
  readonly errno: number;
  readonly errnoName: string;
  readonly log: VerifierLog | null;
  /** What the text may take as UTF-8. */
  readonly maxTextBytes: number;
}

/** Job is work that takes too long for the event loop. */
export type Job = SpecJob | ResolveJob | LoadJob | RejectionJob;

/** ItemOf is what a job hands out, by its name. */
export interface ItemOf {
  readonly spec: SpecItem;
  readonly resolve: Uint8Array;
  readonly load: Uint8Array;
  readonly rejection: Uint8Array;
}

/** Item is what any job hands out. */
export type Item = ItemOf[Job['name']];

/** Steps do work. Each step ends with an item, or with null where others may have a turn. */
export type Steps<Of> = Generator<Of | null, void, void>;

/** JobRunner does jobs. */
export interface JobRunner {
  /**
   * Runs a job for a principal, each item when it is asked for. Leaving the iteration, or the signal, ends the job at
   * its next step. A principal has so many jobs at most; what is more waits, and keeps no other principal's waiting.
   * `transfer` are buffers of the job that are given away.
   *
   * @throws ServiceError; the signal's reason.
   */
  run<J extends Job>(
    job: J,
    principal: string,
    signal: AbortSignal,
    transfer?: readonly ArrayBuffer[],
  ): AsyncGenerator<ItemOf[J['name']], void, void>;
}
