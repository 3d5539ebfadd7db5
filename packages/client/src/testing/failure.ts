import { create, toBinary } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { BadRequestSchema, ERROR_DOMAIN, ErrorInfoSchema, StatusSchema } from '@btfd/api';
import { Metadata, type StatusObject, type status } from '@grpc/grpc-js';

/** FailureInit is what a daemon's error says. */
export interface FailureInit {
  readonly code: status;
  readonly message?: string;
  readonly reason?: string;
  readonly domain?: string;
  readonly metadata?: Record<string, string>;
  readonly fieldViolations?: { field: string; description: string }[];
}

/** failure is a daemon's error as grpc-js sends it, with its details in the trailer. */
export function failure(init: FailureInit): StatusObject {
  const { code, message = 'no', reason, domain = ERROR_DOMAIN, metadata = {}, fieldViolations } = init;
  const details = [];
  if (reason !== undefined) {
    details.push(anyPack(ErrorInfoSchema, create(ErrorInfoSchema, { reason, domain, metadata })));
  }
  if (fieldViolations !== undefined) {
    details.push(anyPack(BadRequestSchema, create(BadRequestSchema, { fieldViolations })));
  }
  const trailers = new Metadata();
  const encoded = toBinary(StatusSchema, create(StatusSchema, { code, message, details }));
  trailers.set('grpc-status-details-bin', Buffer.from(encoded));
  return { code, details: message, metadata: trailers };
}
