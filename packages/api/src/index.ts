/**
 * The contract of btfd as code: messages and the service descriptor of `btf.v1`, generated from `proto/`, the messages
 * of `google.rpc` that its errors carry, and the encoding of those errors and of members. It works with any gRPC stack.
 *
 * ```ts
 * import { create, toBinary } from '@bufbuild/protobuf';
 * import { BtfService, SpecRequestSchema } from '@btfd/api';
 *
 * const request = create(SpecRequestSchema, { source: { case: 'name', value: 'vmlinux' } });
 * const bytes = toBinary(SpecRequestSchema, request);
 * console.log(BtfService.typeName, bytes.length);
 * ```
 *
 * @module
 */
export * from './gen/btf/v1/btf_service_pb.js';
export * from './gen/btf/v1/errors_pb.js';
export * from './gen/btf/v1/handle_pb.js';
export * from './gen/btf/v1/object_pb.js';
export * from './gen/btf/v1/server_info_pb.js';
export * from './gen/btf/v1/spec_pb.js';
export * from './gen/btf/v1/types_pb.js';
export * from './gen/btf/v1/watch_pb.js';
export {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
  type BadRequest,
  type BadRequest_FieldViolation,
  type ErrorInfo,
  type QuotaFailure,
  type RetryInfo,
} from './gen/google/rpc/error_details_pb.js';
export { StatusSchema, type Status } from './gen/google/rpc/status_pb.js';
export { encodeStatus } from './error-details.js';
export {
  decodeStatus,
  ERROR_DOMAIN,
  type ErrorDetails,
  type ErrorReasonName,
  type FieldViolation,
  isErrorReason,
  type QuotaViolation,
  STATUS_TRAILER,
} from './errors.js';
export { decodeNeed, decodeRelocation, decodeVerdict } from './decode-report.js';
export {
  type CoreCandidateFields,
  type CorePatchFields,
  type CorePlaceFields,
  encodeNeed,
  encodeRelocation,
  type NameOf,
  type NeedFields,
  type RelocationFields,
  type RelocationFindingFields,
  type SourceLineFields,
  type VerdictName,
} from './object-report.js';
export {
  type CandidateFields,
  decodeMember,
  decodeMemberError,
  type DereferenceFields,
  encodeMember,
  encodeMemberError,
  type MemberErrorFields,
  type MemberErrorName,
  type MemberFields,
} from './resolved-member.js';
