import type { BtfError } from '@btfd/client';

/**
 * isBtfError tells whether a value is an error of the client. By its name: to ask the class would load gRPC for whatever
 * goes wrong with a file.
 */
export function isBtfError(value: unknown): value is BtfError {
  return value instanceof Error && value.name === 'BtfError';
}
