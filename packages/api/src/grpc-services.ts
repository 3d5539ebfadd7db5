/**
 * The standard services that btfd serves beside its own, generated from the contracts of gRPC's authors: health
 * (`grpc.health.v1`) and server reflection (`grpc.reflection.v1`).
 *
 * ```ts
 * import { Client, credentials } from '@grpc/grpc-js';
 * import { toServiceDefinition } from '@btfd/api/grpc-js';
 * import { Health } from '@btfd/api/grpc-services';
 *
 * const { path, requestSerialize, responseDeserialize } = toServiceDefinition(Health).check;
 * ```
 *
 * @module
 */
export * from './gen/grpc/reflection/v1/reflection_pb.js';
export * from './gen/health/v1/health_pb.js';
