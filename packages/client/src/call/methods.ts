import { MethodOptions_IdempotencyLevel as IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { BtfService } from '@btfd/api';
import { toServiceDefinition } from '@btfd/api/grpc-js';

/** methods are the methods of the service, as grpc-js knows them. */
export const methods = toServiceDefinition(BtfService);

const REPEATABLE: ReadonlySet<string> = new Set(
  BtfService.methods
    .filter(({ idempotency }) => idempotency !== IdempotencyLevel.IDEMPOTENCY_UNKNOWN)
    .map(({ parent, name }) => `/${parent.typeName}/${name}`),
);

/** isRepeatable says whether doing a method twice does no more than doing it once, by its `idempotency_level`. */
export function isRepeatable({ path }: { readonly path: string }): boolean {
  return REPEATABLE.has(path);
}
