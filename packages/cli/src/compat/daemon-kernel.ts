import type { Spec } from '@btfd/btf';
import type { BtfClient } from '@btfd/client';
import { CliError, isBtfError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import type { CompatKernel, JudgeOptions } from './kernel.js';
import type { PreparedFile } from './prepare.js';
import type { CompatReport } from './report.js';

/** DaemonKernelOptions are the options of a {@link DaemonKernel}. */
export interface DaemonKernelOptions {
  /** Returns the client of the daemon. */
  readonly connect: () => Promise<BtfClient>;
  /** Returns the types of the kernel's vmlinux. */
  readonly spec: () => Promise<Spec>;
  /** The BTF id of the kernel; null for the one that the daemon runs on. */
  readonly id: number | null;
  /** The names of the modules, as if no other was loaded; null for all that are. */
  readonly modules: readonly string[] | null;
  readonly interrupted: AbortSignal;
  /** Milliseconds for each object; undefined for the client's default. */
  readonly timeout: number | undefined;
}

/** DaemonKernel is a kernel that a daemon judges objects for. */
export class DaemonKernel implements CompatKernel {
  readonly label: string;
  readonly isLocal = false;
  readonly lacksVersion = false;
  readonly #options: DaemonKernelOptions;

  constructor(label: string, options: DaemonKernelOptions) {
    this.label = label;
    this.#options = options;
  }

  async judge(file: PreparedFile, { loader, all }: JudgeOptions): Promise<CompatReport> {
    const { connect, id, modules, interrupted, timeout } = this.#options;
    const client = await connect();
    try {
      const report = await client.checkObject(file.bytes, {
        loader,
        all,
        kernel: id ?? undefined,
        modules: modules ?? undefined,
        programs: file.programs ?? undefined,
        variables: file.variables,
        attachTargets: file.attachTargets,
        signal: interrupted,
        timeout,
      });
      return { ...report, modules: report.modules.map(({ name }) => name) };
    } catch (error) {
      if (!isBtfError(error) || error.codeName !== 'UNIMPLEMENTED') throw error;
      throw new CliError(
        ExitCode.FAILURE,
        'the daemon is too old to check objects',
        'check here with the BTF of its kernel: `btfctl dump vmlinux format btf > kernel.btf`, then --on ./kernel.btf',
      );
    }
  }

  spec(): Promise<Spec> {
    return this.#options.spec();
  }

  release(): void {}
}
