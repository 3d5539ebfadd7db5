import { create, toBinary } from '@bufbuild/protobuf';
import { type MemberResult, ResolveMembersResponseSchema } from '@btfd/api';
import { BtfReadError, type Spec } from '@btfd/btf';
import { fits, memberResult, STEPS_PER_LOOK, stepsOfPath } from '../base/member-result.js';
import type { LoadedBtf } from '../source/loaded-btf.js';
import { type KernelBtf, TooManySteps } from './kernel-btf.js';

/** Paths of a call that the event loop resolves, and characters of all of them. */
const MAX_PATHS = 16;
const MAX_CHARACTERS = 1_024;
/** The steps of one call. Ten members of the largest structs take less: 0.5 ms the first time, then 0.15 ms. */
const STEPS_PER_CALL = 500_000;

/**
 * KernelMembers resolves a few paths in the BTF of vmlinux on the event loop. It decides nothing about paths that fail, are
 * ambiguous or need many steps. A worker does.
 */
export class KernelMembers {
  readonly #kernelBtf: KernelBtf;

  constructor(kernelBtf: KernelBtf) {
    this.#kernelBtf = kernelBtf;
  }

  /** Returns the encoded response to a call of ResolveMembers; null if a worker must make it. */
  resolve(btf: LoadedBtf, paths: readonly string[]): Uint8Array | null {
    const characters = paths.reduce((sum, { length }) => sum + length, 0);
    if (paths.length > MAX_PATHS || characters > MAX_CHARACTERS) return null;
    const spec = this.#kernelBtf.specOf(btf);
    if (spec === null) return null;
    try {
      const results = this.#results(spec, paths);
      if (!results.every(fits)) return null;
      const response = create(ResolveMembersResponseSchema, { results, digest: btf.digest });
      return toBinary(ResolveMembersResponseSchema, response);
    } catch (error) {
      if (error instanceof BtfReadError || error instanceof TooManySteps) return null;
      throw error;
    }
  }

  #results(spec: Spec, paths: readonly string[]): MemberResult[] {
    const budget = this.#kernelBtf.budget(STEPS_PER_CALL);
    const onLooks = (looks: number): void => void budget.spend(looks * STEPS_PER_LOOK, 'paths');
    return paths.map((path) => {
      budget.spend(stepsOfPath(path), 'paths');
      return memberResult(spec, path, { onLooks, suggest: false });
    });
  }
}
