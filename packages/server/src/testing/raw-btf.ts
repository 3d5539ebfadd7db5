import { parseHeader } from '@btfd/btf';
import { RawBtf } from '../jobs/load/raw-btf.js';
import { allSteps } from './collect.js';

/** readRaw reads BTF for the estimate of the kernel's check. */
export function readRaw(bytes: Uint8Array): RawBtf {
  return allSteps(RawBtf.read(bytes, parseHeader(bytes), () => null)).value;
}
