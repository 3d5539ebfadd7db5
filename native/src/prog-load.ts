import { addon } from './addon.js';
import { checkBytes, checkInteger, MAX_UINT32 } from './arguments.js';
import { BpfError } from './errors.js';

/** Bytes of a `struct bpf_insn`. */
const INSTRUCTION_SIZE = 8;

/**
 * progLoad has the kernel check a BPF program (`BPF_PROG_LOAD`, without a log) and lets go of it at once.
 *
 * A load with privilege makes the kernel parse its own BTF, if nothing did so before, and thereby gives vmlinux its
 * BTF id. Runs on this thread: that first parse takes some 50 ms. Needs CAP_BPF; some types need more.
 *
 * @param programType - `enum bpf_prog_type`, 1 for a socket filter
 * @param instructions - `struct bpf_insn`s in the machine's byte order
 * @throws BpfError: `EINVAL` or `EACCES` for a bad program, `EPERM`, `EAGAIN` where a signal came amid the check
 */
export function progLoad(programType: number, instructions: Uint8Array, license: string): void {
  checkInteger('programType', programType, 0, MAX_UINT32);
  checkBytes('instructions', instructions);
  if (instructions.byteLength % INSTRUCTION_SIZE !== 0) {
    throw new RangeError(
      `instructions must have a multiple of ${INSTRUCTION_SIZE} bytes, has ${instructions.byteLength}`,
    );
  }
  if (typeof license !== 'string') throw new TypeError(`license must be a string, is ${typeof license}`);
  const result = addon().progLoad(programType, instructions, license);
  if (result < 0) throw new BpfError('BPF_PROG_LOAD', -result, null, null);
}
