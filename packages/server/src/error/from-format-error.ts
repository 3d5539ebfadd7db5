import { ErrorReason } from '@btfd/api';
import type { BtfFormatError } from '@btfd/btf';
import { ServiceError } from './service-error.js';

/** fromFormatError makes the error that a client may see of BTF that can't be decoded. */
export function fromFormatError(error: BtfFormatError): ServiceError {
  return new ServiceError(ErrorReason.BTF_UNDECODABLE, `the BTF cannot be decoded: ${error.message}`, {
    metadata: {
      ...(error.offset === null ? {} : { offset: String(error.offset) }),
      ...(error.typeId === null ? {} : { type_id: String(error.typeId) }),
    },
    cause: error,
  });
}
