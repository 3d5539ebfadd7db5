import { release } from 'node:os';
import { checkObject } from '../check/check-object.js';
import { type Verdict, VERDICTS } from '../check/verdict.js';
import { parseBpfObject } from '../object/bpf-object.js';
import { readPrograms } from '../object/programs.js';
import { readSpec } from './corpus.js';
import { LibbpfLoads } from './libbpf-loads.js';

/** Messages of libbpf and the verifier about something that the kernel lacks and that BTF shows, or that libbpf never loads. */
const LACKING = new RegExp(
  [
    'failed to resolve CO-RE relocation',
    'not found in kernel',
    'invalid func unknown',
    'failed to find kernel BTF type ID',
    'bad call relo against',
    'failed to find BTF for extern',
    'unsupported map linkage',
    "isn't referenced anywhere",
  ].join('|'),
);

/** Harmless verdicts, for which the kernel cannot lack anything. */
const HARMLESS = new Set<Verdict>(VERDICTS.slice(0, VERDICTS.indexOf('UNKNOWN')));

/** LoadComparison compares verdicts with what the running kernel does. */
export class LoadComparison {
  readonly #loads = new LibbpfLoads();
  /** The types of the running kernel. */
  readonly kernel = readSpec('/sys/kernel/btf/vmlinux');

  /**
   * compare loads each program of an object alone, and compares the verdict for an object of which only it is loaded.
   *
   * @returns a line for each contradiction, and the number of programs by verdict and success.
   */
  compare(bytes: Uint8Array): {
    readonly contradictions: readonly string[];
    readonly counts: ReadonlyMap<string, number>;
  } {
    const object = parseBpfObject(bytes);
    const programs = readPrograms(object).filter(({ isSubprogram }) => !isSubprogram);
    const names = programs.map(({ name }) => name);
    const loads = this.#loads.run(bytes, names);
    const contradictions: string[] = [];
    const counts = new Map<string, number>();
    for (const [i, name] of names.entries()) {
      const { result, log } = loads[i] ?? { result: 0, log: '' };
      const options = { programs: [name], kernelVersion: runningVersion() };
      const { verdict } = checkObject(object, { kernel: this.kernel }, options);
      const isLoaded = result === 0;
      const lacking = LACKING.exec(log);
      const key = `${verdict} ${isLoaded ? 'loaded' : 'refused'}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
      const isWrong = isLoaded ? verdict === 'FAILS' : HARMLESS.has(verdict) && lacking !== null;
      if (isWrong) contradictions.push(`${name} ${verdict}: ${isLoaded ? 'loaded' : lacking?.[0]}`);
    }
    return { contradictions, counts };
  }

  close(): void {
    this.#loads.close();
  }
}

/** The version of the running kernel as in `LINUX_KERNEL_VERSION`, as far as its release says it. */
function runningVersion(): number {
  const [, major = '0', minor = '0', patch = '0'] = /^(\d+)\.(\d+)\.?(\d+)?/.exec(release()) ?? [];
  return (Number(major) << 16) | (Number(minor) << 8) | Math.min(Number(patch), 255);
}
