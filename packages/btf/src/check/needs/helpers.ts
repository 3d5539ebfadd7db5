import { BtfFormatError } from '../../format-error.js';
import type { LinkedProgram } from '../link.js';
import { type BpfEnums, verdictOfValue } from './bpf-enums.js';

/** HelperUse is a helper that a program calls. */
export interface HelperUse {
  readonly name: string;
  /** The instructions of its calls, at least one. */
  readonly instructions: readonly number[];
  /** Why the verifier refuses calls of it; null if it does not, or BTF cannot say. */
  readonly missing: string | null;
  /** Why BTF cannot say whether the kernel has it; null if it can. */
  readonly unknown: string | null;
}

/** Helpers that loaders replace on kernels before Linux 5.5 by others that do the same, by number. */
const REPLACED: ReadonlyMap<number, number> = /* @__PURE__ */ new Map([
  [112, 4],
  [113, 4],
  [114, 45],
  [115, 45],
]);

/** More than any kernel has, and any program calls. */
const MAX_HELPERS = 4096;

/**
 * helperUses returns the helpers that a program and its subprograms call, in the order of their first calls.
 *
 * @throws BtfFormatError `LIMIT_EXCEEDED` for more than 4,096 helpers.
 */
export function helperUses({ root, helpers }: LinkedProgram, enums: BpfEnums): HelperUse[] {
  const byNumber = new Map<number, number[]>();
  for (const [instruction, number] of helpers) {
    const known = byNumber.get(number);
    if (known === undefined) byNumber.set(number, [instruction]);
    else known.push(instruction);
  }
  if (byNumber.size > MAX_HELPERS) {
    const message = `program ${root.name} calls more than ${MAX_HELPERS} helpers`;
    throw new BtfFormatError('LIMIT_EXCEEDED', message);
  }
  return [...byNumber].map(([number, instructions]) => {
    const has = (helper: number): boolean | null => enums.hasNumber('bpf_func_id', helper);
    const own = has(number);
    const [verdict, reason] = verdictOfValue(
      own === false ? has(REPLACED.get(number) ?? number) : own,
      'bpf_func_id',
    );
    return {
      name: enums.nameOf('bpf_func_id', number) ?? `helper ${number}`,
      instructions,
      missing: verdict === 'FAILS' ? reason : null,
      unknown: verdict === 'UNKNOWN' ? reason : null,
    };
  });
}
