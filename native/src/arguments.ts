import { types } from 'node:util';

/** The largest value of the 32-bit ids and sizes of bpf(2). */
export const MAX_UINT32 = 0xffff_ffff;

/** The largest file descriptor. */
export const MAX_FD = 0x7fff_ffff;

/**
 * checkInteger checks an argument for the addon, which does not check it.
 *
 * @throws TypeError if the value is not a number.
 * @throws RangeError if it is not an integer from min to max.
 */
export function checkInteger(name: string, value: number, min: number, max: number): void {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, not ${typeof value}`);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} must be an integer from ${min} to ${max}, not ${value}`);
  }
}

/**
 * checkBytes accepts a Uint8Array of any realm, over any kind of buffer.
 *
 * @throws TypeError if the value is not a Uint8Array.
 * @throws RangeError if its size does not fit into 32 bits.
 */
export function checkBytes(name: string, value: Uint8Array): void {
  if (!types.isUint8Array(value)) throw new TypeError(`${name} must be a Uint8Array`);
  if (value.byteLength > MAX_UINT32) {
    throw new RangeError(`${name} must have at most ${MAX_UINT32} bytes, not ${value.byteLength}`);
  }
}

/** @throws TypeError if the value is not a string. */
export function checkString(name: string, value: string): void {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string, not ${typeof value}`);
}
