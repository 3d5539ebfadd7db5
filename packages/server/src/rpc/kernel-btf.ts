import { setImmediate } from 'node:timers/promises';
import { Origin } from '@btfd/api';
import { Spec } from '@btfd/btf';
import type { Budget } from '../base/work-budget.js';
import { SYSFS_BTF } from '../kernel/btf-files.js';
import type { ObjectInfo } from '../kernel/kernel.js';
import { originOf } from '../kernel/origin.js';
import type { LoadedBtf } from '../source/loaded-btf.js';

/** The steps that all calls together may take in one turn of the event loop: some milliseconds. */
const STEPS_PER_TURN = 1_000_000;
/** The cost of a search for a name. In the kernel's own BTF few types have the same. */
const STEPS_PER_SEARCH = 200;

/**
 * KernelBtf is the BTF of vmlinux that the event loop reads itself, for a little work at a small part of the cost of a job
 * in a worker. It is the only BTF that the event loop decodes: the kernel itself made these bytes.
 */
export class KernelBtf {
  /** By BTF, so that a parsed Spec goes when the cache drops its BTF. It uses the same bytes. */
  readonly #specs = new WeakMap<LoadedBtf, Spec | null>();
  readonly #stepsPerTurn: number;
  /** Null until something is spent in this turn of the event loop. */
  #leftInTurn: number | null = null;

  constructor(stepsPerTurn = STEPS_PER_TURN) {
    this.#stepsPerTurn = stepsPerTurn;
  }

  /** Returns the parsed BTF; null if it is not ready, or cannot be parsed. */
  specOf(btf: LoadedBtf): Spec | null {
    const known = this.#specs.get(btf);
    if (known === undefined) void this.prepare(btf);
    return known ?? null;
  }

  /** Returns the budget of a call, which throws TooManySteps after `steps`, or after those of a turn. */
  budget(steps: number): Budget {
    let left = steps;
    return {
      spend: (spent, work) => {
        const cost = work === 'names' ? STEPS_PER_SEARCH : spent;
        left -= cost;
        if (this.#spend(cost) < 0 || left < 0) throw new TooManySteps();
        return false;
      },
    };
  }

  /** Returns the steps that are left in this turn. */
  #spend(steps: number): number {
    if (this.#leftInTurn === null) {
      this.#leftInTurn = this.#stepsPerTurn;
      void setImmediate().then(() => (this.#leftInTurn = null));
    }
    this.#leftInTurn -= steps;
    return this.#leftInTurn;
  }

  /**
   * Parses BTF and builds its index of names. Each step takes milliseconds, so it has a turn of the event
   * loop of its own. Until it is ready, workers do all work.
   */
  async prepare(btf: LoadedBtf): Promise<void> {
    this.#specs.set(btf, null);
    await setImmediate();
    const spec = parsed(btf);
    if (spec === null) return;
    await setImmediate();
    spec.indexNames();
    this.#specs.set(btf, spec);
  }
}

/** isOfKernel reports whether the kernel itself made the BTF of an object, and it is that of vmlinux. */
export function isOfKernel(info: ObjectInfo, files: { readonly dir: string }): boolean {
  if (originOf(info) !== Origin.VMLINUX) return false;
  // An object with an id comes from bpf(2), which says that it is the kernel's. Others are files.
  return info.id !== 0 || files.dir === SYSFS_BTF;
}

function parsed({ bytes }: LoadedBtf): Spec | null {
  try {
    return Spec.parse(bytes);
  } catch {
    // The worker fails too, and reports why.
    return null;
  }
}

/** TooManySteps ends work for which a worker is better. */
export class TooManySteps extends Error {}
