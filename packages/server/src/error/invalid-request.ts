import { ErrorReason } from '@btfd/api';
import { ServiceError } from './service-error.js';

/** invalidRequest is the error for a bad field of a request. */
export function invalidRequest(field: string, description: string): ServiceError {
  return new ServiceError(ErrorReason.INVALID_REQUEST, `${field}: ${description}`, {
    violations: [{ field, description }],
  });
}

/** checkCount throws if a repeated field has more elements than allowed. */
export function checkCount(field: string, values: readonly unknown[], limit: number): void {
  if (values.length > limit)
    throw invalidRequest(field, `has ${values.length} elements; at most ${limit} are allowed`);
}

/** checkToken throws if a token is missing. */
export function checkToken(field: string, token: string): void {
  if (token === '') throw invalidRequest(field, 'is required');
}
