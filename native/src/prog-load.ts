import { addon } from './addon.js';
import { checkBytes, checkInteger, checkString, MAX_UINT32 } from './arguments.js';
import { BpfError } from './errors.js';

/** Size of a `struct bpf_insn` in bytes. */
const INSTRUCTION_SIZE = 8;

/**
 * progLoad makes the kernel check a BPF program, without a log, and closes the program immediately. Needs CAP_BPF
 * (CAP_SYS_ADMIN before Linux 5.8); some program types need more. Modelled on `BPF_PROG_LOAD` (Linux 3.18).
 *
 * A privileged load makes the kernel parse its own BTF if nothing has done so before. Only then has vmlinux a BTF id.
 * It runs on the calling thread, and the first parse takes about 50 ms.
 *
 * @param programType - a value of `enum bpf_prog_type`, for example 1 for a socket filter
 * @param instructions - values of `struct bpf_insn` in the machine's byte order
 * @throws BpfError `EINVAL` or `EACCES` if the program is invalid, `E2BIG` if it has no instructions or too many.
 * @throws BpfError `EPERM` without the capability.
 * @throws BpfError `EAGAIN` if a signal interrupted the check.
 * @throws BpfUnavailableError if the addon cannot be loaded.
 * @throws TypeError or RangeError if an argument is invalid.
 */
export function progLoad(programType: number, instructions: Uint8Array, license: string): void {
  checkInteger('programType', programType, 0, MAX_UINT32);
  checkBytes('instructions', instructions);
  if (instructions.byteLength % INSTRUCTION_SIZE !== 0) {
    throw new RangeError(
      `instructions must have a multiple of ${INSTRUCTION_SIZE} bytes, not ${instructions.byteLength}`,
    );
  }
  checkString('license', license);
  const result = addon().progLoad(programType, instructions, license);
  if (result < 0) throw new BpfError('BPF_PROG_LOAD', -result, null, null);
}
