import { Encoding } from '@btfd/api';
import { BtfReadError } from '@btfd/btf';
import type { SpecItem, SpecJob } from '../pool/job.js';
import { typeItems } from '../select/type-items.js';
import type { LoadedBtf } from '../source/loaded-btf.js';
import { type KernelBtf, TooManySteps } from './kernel-btf.js';

/** Names of a selection that the event loop finds, and characters of all of them. */
const MAX_NAMES = 4;
const MAX_CHARACTERS = 1_024;
/** The steps of one call: 0.1 ms. A closure of a thousand types takes more. */
const STEPS_PER_CALL = 16_000;

/**
 * KernelTypes encodes a few types of vmlinux on the event loop: those with exact names, and small closures. A worker encodes
 * all others.
 */
export class KernelTypes {
  readonly #kernelBtf: KernelBtf;

  constructor(kernelBtf: KernelBtf) {
    this.#kernelBtf = kernelBtf;
  }

  /** Returns the items of a SpecJob for vmlinux; null if a worker must make them. */
  items(
    btf: LoadedBtf,
    job: Pick<SpecJob, 'encoding' | 'selection' | 'chunkBytes'>,
  ): readonly SpecItem[] | null {
    if (job.encoding !== Encoding.TYPES || !isSmall(job.selection)) return null;
    const spec = this.#kernelBtf.specOf(btf);
    if (spec === null) return null;
    const items: SpecItem[] = [];
    try {
      for (const item of typeItems(spec, job, this.#kernelBtf.budget(STEPS_PER_CALL))) {
        if (item !== null) items.push(item);
      }
      return items;
    } catch (error) {
      if (error instanceof BtfReadError || error instanceof TooManySteps) return null;
      throw error;
    }
  }
}

function isSmall(selection: SpecJob['selection']): boolean {
  if (selection === null) return false;
  const { names, nameGlobs, ids } = selection;
  if (names.length === 0 || names.length > MAX_NAMES || nameGlobs.length > 0 || ids.length > 0) return false;
  // Half of all types have no name.
  if (names.includes('')) return false;
  return names.reduce((sum, { length }) => sum + length, 0) <= MAX_CHARACTERS;
}
