import { BtfService, Operation } from '@btfd/api';
import type { ServiceError } from '../error/service-error.js';
import type { Access } from './access.js';

/** Unavailable is an operation that does not work on this machine. */
export interface Unavailable {
  readonly operation: Operation;
  /** The operation in words that follow "not". */
  readonly what: string;
  readonly why: ServiceError;
}

const OPERATIONS = [
  [Operation.LOAD, 'loading'],
  [Operation.OPEN_BY_ID, 'by id'],
  [Operation.LIST_IDS, 'listing ids'],
  [Operation.SPEC_BY_NAME, 'by name'],
] as const;

/**
 * unavailable returns the operations that do not work on this machine, each with the reason. Listing ids is among them only
 * if objects can be opened by id: otherwise the reason is the same.
 */
export function unavailable(access: Access): Unavailable[] {
  const opens = access.refusal(Operation.OPEN_BY_ID) === null;
  return OPERATIONS.filter(([operation]) => opens || operation !== Operation.LIST_IDS).flatMap(
    ([operation, what]) => {
      const why = access.refusal(operation);
      return why === null ? [] : [{ operation, what, why }];
    },
  );
}

/** The operations with a name in health. */
const HEALTH_OPERATIONS = [
  Operation.LOAD,
  Operation.OPEN_BY_ID,
  Operation.LIST_IDS,
  Operation.SPEC_BY_NAME,
] as const;

/**
 * healthStatuses returns the names of health, and whether each is available: all services, the BTF service, and its
 * operations as `btf.v1.BtfService/spec-by-name`.
 */
export function healthStatuses(access: Access): Map<string, boolean> {
  const statuses = new Map([
    ['', true],
    [BtfService.typeName, true],
  ]);
  for (const operation of HEALTH_OPERATIONS) {
    const word = Operation[operation].toLowerCase().replaceAll('_', '-');
    statuses.set(`${BtfService.typeName}/${word}`, access.refusal(operation) === null);
  }
  return statuses;
}
