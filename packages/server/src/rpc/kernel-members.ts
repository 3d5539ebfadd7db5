import { setImmediate } from 'node:timers/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import { type MemberResult, Origin, ResolveMembersResponseSchema } from '@btfd/api';
import { BtfFormatError, Spec } from '@btfd/btf';
import { fits, memberResult, STEPS_PER_LOOK, stepsOfPath } from '../base/member-result.js';
import { SYSFS_BTF } from '../kernel/btf-files.js';
import type { ObjectInfo } from '../kernel/kernel.js';
import { originOf } from '../kernel/origin.js';
import type { LoadedBtf } from '../source/loaded-btf.js';

/** Paths of a call that the event loop resolves, and characters of all of them. */
const MAX_PATHS = 4;
const MAX_CHARACTERS = 1_024;
/** The steps that all calls together may take in one turn of the event loop: some milliseconds. */
const STEPS_PER_TURN = 1_000_000;
/** The steps of one call. Four members of the largest structs take less. */
const STEPS_PER_CALL = 250_000;
/** A Spec builds its index of names at the fifth search. */
const SEARCHES = 5;

/**
 * KernelMembers resolves a few paths in the BTF of vmlinux on the event loop, at a small part of the cost of a job in a
 * worker. It is the only thing on the event loop that decodes BTF: the kernel itself made these bytes. It decides nothing
 * about paths that fail, are ambiguous or need many steps. A worker does.
 */
export class KernelMembers {
  /** By BTF, so that a parsed Spec goes when the cache drops its BTF. It uses the same bytes. */
  readonly #specs = new WeakMap<LoadedBtf, Spec | null>();
  readonly #stepsPerTurn: number;
  /** Null until something is spent in this turn of the event loop. */
  #leftInTurn: number | null = null;

  constructor(stepsPerTurn = STEPS_PER_TURN) {
    this.#stepsPerTurn = stepsPerTurn;
  }

  /** Returns the encoded response to a call of ResolveMembers; null if a worker must make it. */
  resolve(btf: LoadedBtf, paths: readonly string[]): Uint8Array | null {
    const characters = paths.reduce((sum, { length }) => sum + length, 0);
    if (paths.length > MAX_PATHS || characters > MAX_CHARACTERS) return null;
    const spec = this.#specOf(btf);
    if (spec === null) return null;
    try {
      const results = this.#results(spec, paths);
      if (!results.every(fits)) return null;
      const response = create(ResolveMembersResponseSchema, { results, digest: btf.digest });
      return toBinary(ResolveMembersResponseSchema, response);
    } catch (error) {
      if (error instanceof BtfFormatError || error instanceof TooManySteps) return null;
      throw error;
    }
  }

  #results(spec: Spec, paths: readonly string[]): MemberResult[] {
    let left = STEPS_PER_CALL;
    const spend = (steps: number): void => {
      left -= steps;
      if (this.#spend(steps) < 0 || left < 0) throw new TooManySteps();
    };
    const options = { onLooks: (looks: number) => spend(looks * STEPS_PER_LOOK), suggest: false };
    return paths.map((path) => {
      spend(stepsOfPath(path));
      return memberResult(spec, path, options);
    });
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

  /** Returns the parsed BTF; null if it is not ready, or cannot be parsed. */
  #specOf(btf: LoadedBtf): Spec | null {
    const known = this.#specs.get(btf);
    if (known === undefined) void this.prepare(btf);
    return known ?? null;
  }

  /**
   * Parses BTF and builds its index of names. Each step takes milliseconds, so it has a turn of the event
   * loop of its own. Until it is ready, workers resolve all paths.
   */
  async prepare(btf: LoadedBtf): Promise<void> {
    this.#specs.set(btf, null);
    await setImmediate();
    const spec = parsed(btf);
    if (spec === null) return;
    for (let searches = 0; searches < SEARCHES; searches++) {
      await setImmediate();
      spec.idsByName('task_struct');
    }
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

/** TooManySteps ends the work on paths for which a worker is better. */
class TooManySteps extends Error {}
