import { checkObject } from '../check/check-object.js';
import { type Verdict, VERDICTS } from '../check/verdict.js';
import type { BpfObject } from '../object/bpf-object.js';
import type { Spec } from '../spec.js';
import type { Load } from './libbpf-loads.js';

/** What libbpf and the verifier say of a kernel that lacks something that BTF has. */
const LACKING =
  /failed to resolve CO-RE relocation|not found in kernel|invalid func unknown|failed to find kernel BTF type ID/;

/** Harmless verdicts, for which the kernel cannot lack anything. */
const HARMLESS = new Set<Verdict>(VERDICTS.slice(0, VERDICTS.indexOf('UNKNOWN')));

/** LoadedProgram is a program of an object with what became of its load. */
export interface LoadedProgram {
  readonly name: string;
  readonly load: Load;
}

/**
 * contradictionsOf compares the verdict for an object of which only one program is loaded with the load.
 *
 * @returns a line for each program that contradicts the verdict, and the number of programs by verdict and success.
 */
export function contradictionsOf(
  object: BpfObject,
  kernel: Spec,
  kernelVersion: number,
  programs: readonly LoadedProgram[],
): { readonly contradictions: readonly string[]; readonly counts: ReadonlyMap<string, number> } {
  const contradictions: string[] = [];
  const counts = new Map<string, number>();
  for (const { name, load } of programs) {
    const report = checkObject(object, { kernel }, { programs: [name], kernelVersion });
    const { verdict } = report;
    const isLoaded = load.result === 0;
    const lacking = LACKING.exec(load.log);
    const key = `${verdict} ${isLoaded ? 'loaded' : 'refused'}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    const isWrong = isLoaded ? verdict === 'FAILS' : HARMLESS.has(verdict) && lacking !== null;
    if (isWrong) contradictions.push(`${name} ${verdict}: ${isLoaded ? 'loaded' : lacking?.[0]}`);
  }
  return { contradictions, counts };
}
