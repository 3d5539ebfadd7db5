import { types } from 'node:util';

/** checkInteger throws where the value isn't an integer from min to max, so that the addon need not look. */
export function checkInteger(name: string, value: number, min: number, max: number): void {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, is ${typeof value}`);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} must be an integer from ${min} to ${max}, is ${value}`);
  }
}

/** checkBytes takes a Uint8Array of any realm, over any kind of buffer. */
export function checkBytes(name: string, value: Uint8Array): void {
  if (!types.isUint8Array(value)) throw new TypeError(`${name} must be a Uint8Array`);
  if (value.byteLength > MAX_UINT32) {
    throw new RangeError(`${name} must have at most ${MAX_UINT32} bytes, has ${value.byteLength}`);
  }
}

/** The largest value that bpf(2) has room for in an id or a size. */
export const MAX_UINT32 = 0xffff_ffff;
