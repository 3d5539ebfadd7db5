import { setImmediate } from 'node:timers/promises';

/** Hashing or copying so much takes less than a millisecond. */
const SLICE_BYTES = 512 * 1024;

/** eachSlice gives bytes to a function slice by slice, and lets others run between them. */
export async function eachSlice(
  bytes: Uint8Array,
  act: (slice: Uint8Array, at: number) => void,
): Promise<void> {
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
    if (at > 0) await setImmediate();
    act(bytes.subarray(at, at + SLICE_BYTES), at);
  }
}

/** copyBytes copies bytes slice by slice. Until it is done they must not change. */
export async function copyBytes(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const copy = new Uint8Array(bytes.length);
  await eachSlice(bytes, (slice, at) => copy.set(slice, at));
  return copy;
}
