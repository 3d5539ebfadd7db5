/**
 * The functions of protobuf-es for the messages of this package. The packed package includes them, so that a program that
 * uses these ones loads no second copy.
 *
 * ```ts
 * import { GetServerInfoRequestSchema } from '@btfd/api';
 * import { create, toBinary } from '@btfd/api/messages';
 *
 * const bytes = toBinary(GetServerInfoRequestSchema, create(GetServerInfoRequestSchema));
 * ```
 *
 * @module
 */
export { create, fromBinary, toBinary } from '@bufbuild/protobuf';
export {
  durationFromMs,
  durationMs,
  MethodOptions_IdempotencyLevel as IdempotencyLevel,
} from '@bufbuild/protobuf/wkt';
