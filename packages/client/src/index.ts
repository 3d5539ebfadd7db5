/**
 * The client of btfd: typed access to the BTF of a Linux kernel on another machine.
 *
 * ```ts
 * import { BtfClient, defaultAddress } from '@btfd/client';
 *
 * await using client = new BtfClient(defaultAddress());
 * await using handle = await client.findHandle((info) => info.isVmlinux);
 * const spec = await handle.spec();
 * console.log(spec.typesByName('task_struct'));
 * ```
 *
 * @module
 */
export {
  BtfError,
  type BtfErrorInit,
  type BtfErrorReason,
  type ClientErrorReason,
  type DaemonErrorReason,
} from './error/btf-error.js';
export type { CallMetadata } from './call/call-metadata.js';
export type { CallOptions, LeaseOptions } from './call/call-options.js';
export type { CheckObjectOptions } from './check-object.js';
export { BtfClient, type FindOptions } from './client.js';
export type { BtfClientOptions } from './call/client-options.js';
export type { DaemonChange, DaemonIdentity } from './call/daemon-pin.js';
export { defaultAddress } from './call/default-address.js';
export type { FieldViolation, QuotaViolation } from '@btfd/api';
export type { Handle } from './handle.js';
export type { HandleInfo, KnownOrigin, Origin } from './object/handle-info.js';
export type { DetailOptions, InfoDetail } from './object/info-detail.js';
export type { IterateOptions, ListObjectsOptions, ObjectFilter } from './iterate-handles.js';
export type { IteratedHandle } from './iterated-handle.js';
export type { LoadOptions, LoadResult, Rejection } from './load-request.js';
export type {
  MemberFailure,
  MemberFailureCode,
  MemberResult,
  RemoteCandidate,
  RemoteDereference,
  RemoteMember,
} from './btf/member-result.js';
export type { CHeaderOptions, SelectedTypes, SpecNote } from './btf/selected-types.js';
export type { NotFound, Selection } from './btf/selection.js';
export type {
  ObjectReport,
  ObjectReportHeader,
  ObjectReportPart,
  RemoteNeed,
  RemoteObjectSummary,
  RemoteProgramResult,
  RemoteRelocation,
  RemoteRelocationFinding,
} from './object/object-report.js';
export type { BpfMap, BpfObject, ObjectProcess, ObjectUsers } from './object/object-users.js';
export type { RemoteBtf, SelectedOptions, SpecOptions } from './remote-btf.js';
export type { HandleState, RemoteObject } from './remote-object.js';
export type { Feature, FeatureStatus } from './object/kernel-features.js';
export type {
  Caller,
  KernelDigests,
  Limits,
  Mode,
  Operation,
  OperationStatus,
  Role,
  ServerInfo,
} from './object/server-info.js';
export type { ServerDetail, ServerInfoOptions } from './object/server-detail.js';
export { tlsCredentials } from './call/tls-credentials.js';
export type { Pem, Tls, TlsFiles, TlsOptions } from './call/tls-options.js';
export type { TransferOptions, TransferProgress } from './btf/transfer-progress.js';
export type { VerifierLog } from './error/verifier-log.js';
export type { WatchEvent } from './object/watched-objects.js';
export type { WatchOptions } from './watch-handles.js';
/** The gRPC status codes, which are the values of `BtfError.code`. */
export { status } from '@grpc/grpc-js';
