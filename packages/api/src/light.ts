/**
 * The parts of the contract that a client needs before, or without, messages: its errors, and the list of objects. In
 * contrast to the other entry points, this one does not load protobuf-es, and makes no descriptors.
 *
 * ```ts
 * import { isErrorReason } from '@btfd/api/light';
 *
 * console.log(isErrorReason('HANDLE_NOT_FOUND'));
 * ```
 *
 * @module
 */
export {
  decodeStatus,
  ERROR_DOMAIN,
  type ErrorDetails,
  errorDetailsOf,
  type ErrorReasonName,
  type FieldViolation,
  isErrorReason,
  type QuotaViolation,
  STATUS_TRAILER,
} from './errors.js';
export { decodeListed, encodeListRequest, type ListRequest } from './listing.js';
