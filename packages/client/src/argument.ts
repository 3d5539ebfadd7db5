import type { Duration } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import { BtfError } from './btf-error.js';
import { durationFromMs } from './duration.js';

/** The largest number of a `google.protobuf.Duration`: about 10,000 years. */
const MAX_DURATION_MS = 315_576_000_000_000;
const MAX_UINT32 = 0xffff_ffff;

/** invalidArgument is the error for an argument that cannot be sent, with code and reason as if the daemon refused it. */
export function invalidArgument(field: string, description: string): BtfError {
  return new BtfError({
    code: status.INVALID_ARGUMENT,
    reason: 'INVALID_REQUEST',
    message: `${field}: ${description}`,
    fieldViolations: [{ field, description }],
  });
}

/** msArgument answers a time in milliseconds. Infinity is one. @throws BtfError INVALID_REQUEST. */
export function msArgument(name: string, ms: unknown): number {
  if (typeof ms === 'number' && ms >= 0) return ms;
  throw invalidArgument(name, `must be a number of milliseconds that is not negative, not ${shown(ms)}`);
}

/** ttlArgument makes the message of a TTL. @throws BtfError INVALID_REQUEST. */
export function ttlArgument(ttl: number | undefined): Duration | undefined {
  if (ttl === undefined) return undefined;
  if (msArgument('ttl', ttl) <= MAX_DURATION_MS) return durationFromMs(ttl);
  throw invalidArgument('ttl', `must be at most ${MAX_DURATION_MS} ms, not ${shown(ttl)}`);
}

/** uint32Argument answers a number that fits a field of 32 bits. @throws BtfError INVALID_REQUEST. */
export function uint32Argument(name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_UINT32) return value;
  throw invalidArgument(name, `must be an integer from 0 to ${MAX_UINT32}, not ${shown(value)}`);
}

/** countArgument answers a number of things: an integer that is not negative, or Infinity. @throws BtfError INVALID_REQUEST. */
export function countArgument(name: string, value: unknown): number {
  if (typeof value === 'number' && (Number.isInteger(value) || value === Infinity) && value >= 0)
    return value;
  throw invalidArgument(name, `must be an integer that is not negative, not ${shown(value)}`);
}

/** uint32sArgument answers a copy of a list of such numbers. @throws BtfError INVALID_REQUEST. */
export function uint32sArgument(name: string, values: readonly number[]): number[] {
  return listArgument(name, values).map((value, index) => uint32Argument(`${name}[${index}]`, value));
}

/** stringsArgument answers a copy of a list of strings; one string is none. @throws BtfError INVALID_REQUEST. */
export function stringsArgument(name: string, values: readonly string[]): string[] {
  return listArgument(name, values).map((value, index) => {
    if (typeof value === 'string') return value;
    throw invalidArgument(`${name}[${index}]`, `must be a string, not ${shown(value)}`);
  });
}

/** choicesArgument looks each of a list of words up in a table. @throws BtfError INVALID_REQUEST. */
export function choicesArgument<K extends string, V>(
  name: string,
  values: readonly K[],
  table: Readonly<Record<K, V>>,
): V[] {
  return listArgument(name, values).map((value, index) => {
    if (Object.hasOwn(table, value)) return table[value];
    const known = Object.keys(table).join(', ');
    throw invalidArgument(`${name}[${index}]`, `must be one of ${known}, not ${shown(value)}`);
  });
}

function listArgument<T>(name: string, values: readonly T[]): readonly T[] {
  if (Array.isArray(values)) return values;
  throw invalidArgument(name, `must be an array, not ${shown(values)}`);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 100));
  if (typeof value === 'number' || value === undefined || value === null) return `${value}`;
  return Object.prototype.toString.call(value);
}
