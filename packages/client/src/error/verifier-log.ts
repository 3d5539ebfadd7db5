import type { VerifierLog as VerifierLogMessage } from '@btfd/api';

/** VerifierLog is what the kernel's verifier said about BTF that it refused. */
export interface VerifierLog {
  /** The text. Where it is truncated, its tail (its head on kernels before 6.4). */
  readonly text: string;
  /** Whether something is missing from `text`. */
  readonly truncated: boolean;
  /** Size of the whole log in bytes; null where the kernel does not tell (before 6.4). */
  readonly trueSize: number | null;
}

/** verifierLogFromMetadata reads the log that comes with an error of reason VERIFIER_REJECTED. */
export function verifierLogFromMetadata(metadata: Readonly<Record<string, string>>): VerifierLog {
  const trueSize = metadata['log_true_size'];
  return {
    text: metadata['log'] ?? '',
    truncated: metadata['log_truncated'] === 'true',
    trueSize: trueSize === undefined ? null : Number(trueSize),
  };
}

/** verifierLogFromMessage reads the log that comes with a rejection. */
export function verifierLogFromMessage(message: VerifierLogMessage | undefined): VerifierLog {
  return {
    text: message?.text ?? '',
    truncated: message?.truncated ?? false,
    trueSize: message?.trueSize || null,
  };
}
