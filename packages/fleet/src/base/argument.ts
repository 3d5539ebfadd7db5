import { BtfError, status } from '@btfd/client';

/** invalidArgument returns the error for a wrong argument, as `@btfd/client` returns it. */
export function invalidArgument(field: string, description: string): BtfError {
  return new BtfError({
    code: status.INVALID_ARGUMENT,
    reason: 'INVALID_REQUEST',
    message: `${field}: ${description}`,
    fieldViolations: [{ field, description }],
  });
}

/** aWholeNumber checks an option. @throws BtfError INVALID_REQUEST if it is not an integer in the range. */
export function aWholeNumber(field: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw invalidArgument(field, `must be an integer from ${min} to ${max}, not ${value}`);
}

/** aTime checks an option. @throws BtfError INVALID_REQUEST if it is not a number of milliseconds above 0. */
export function aTime(field: string, value: number): void {
  if (typeof value === 'number' && value > 0) return;
  throw invalidArgument(field, `must be a number of milliseconds above 0, not ${value}`);
}

/** onlyKnown checks the names of options. @throws BtfError INVALID_REQUEST for a name that is unknown. */
export function onlyKnown(options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) throw invalidArgument(key, `unknown option: use one of ${known.join(', ')}`);
  }
}
