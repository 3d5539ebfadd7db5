import type { ErrorReason } from '@btfd/api';
import { ServiceError } from '../error/service-error.js';

/** failureOf returns the ServiceError that a function fails with. */
export async function failureOf(attempt: () => unknown): Promise<ServiceError> {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

/** reasonOf returns the reason that a function fails with. */
export async function reasonOf(attempt: () => unknown): Promise<ErrorReason> {
  return (await failureOf(attempt)).reason;
}
