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
} from './btf-error.js';
export type { CallMetadata } from './call-metadata.js';
export type { CallOptions, LeaseOptions } from './call-options.js';
export { BtfClient, type FindOptions } from './client.js';
export type { BtfClientOptions } from './client-options.js';
export type { DaemonChange, DaemonIdentity } from './daemon-pin.js';
export { defaultAddress } from './default-address.js';
export type { FieldViolation, QuotaViolation } from './error-details.js';
export type { Handle } from './handle.js';
export type { HandleInfo, KnownOrigin, Origin } from './handle-info.js';
export type { DetailOptions, InfoDetail } from './info-detail.js';
export type { IterateOptions, ObjectFilter } from './iterate-handles.js';
export type { IteratedHandle } from './iterated-handle.js';
export type { LoadOptions, LoadResult, Rejection } from './load-request.js';
export type { MemberResult, RemoteDereference, RemoteMember } from './member-result.js';
export type { SelectedTypes } from './selected-types.js';
export type { NotFound, Selection } from './selection.js';
export type { BpfObject, ObjectProcess, ObjectUsers } from './object-users.js';
export type { HandleState, RemoteObject, SpecOptions } from './remote-object.js';
export type {
  Caller,
  Feature,
  FeatureStatus,
  Limits,
  Mode,
  Operation,
  OperationStatus,
  Role,
  ServerInfo,
} from './server-info.js';
export type { Pem, TlsOptions } from './tls-options.js';
export type { TransferOptions, TransferProgress } from './transfer-progress.js';
export type { VerifierLog } from './verifier-log.js';
export type { WatchEvent } from './watch-event.js';
export type { WatchOptions } from './watch-handles.js';
/** The gRPC status codes, as `BtfError.code` has them. */
export { status } from '@grpc/grpc-js';
