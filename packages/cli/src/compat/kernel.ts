import type { BpfLoader, Spec } from '@btfd/btf';
import type { PreparedFile } from './prepare.js';
import type { CompatReport } from './report.js';

/** JudgeOptions are the options of a {@link CompatKernel}. */
export interface JudgeOptions {
  readonly loader: BpfLoader;
  /** Whether the report needs findings that fit. */
  readonly all: boolean;
}

/** CompatKernel is a kernel that objects are judged for. */
export interface CompatKernel {
  /** Its SPEC. */
  readonly label: string;
  /** Whether this process judges, and not a daemon. */
  readonly isLocal: boolean;
  /** Whether the version of the kernel is not known. */
  readonly lacksVersion: boolean;
  /** Reports whether an object fits it. */
  judge(file: PreparedFile, options: JudgeOptions): Promise<CompatReport>;
  /** Returns the types of its vmlinux. */
  spec(): Promise<Spec>;
  /** Forgets what was read of the kernel. */
  release(): void;
}
