import type { VerifierLog as VerifierLogMessage } from '@btfd/api';

/** VerifierLog is the kernel's log about BTF that it refused. */
export interface VerifierLog {
  /** The text. If it is truncated, its tail; on kernels before 6.4 its head. */
  readonly text: string;
  /** Whether a part of the log is missing from `text`. */
  readonly truncated: boolean;
  /** The size of the whole log in bytes; null on kernels before 6.4, which do not report it. */
  readonly trueSize: number | null;
}

/** verifierLogFromMetadata returns the log in the metadata of an error with the reason VERIFIER_REJECTED. */
export function verifierLogFromMetadata(metadata: Readonly<Record<string, string>>): VerifierLog {
  const trueSize = metadata['log_true_size'];
  return {
    text: metadata['log'] ?? '',
    truncated: metadata['log_truncated'] === 'true',
    trueSize: trueSize === undefined ? null : Number(trueSize),
  };
}

/** verifierLogFromMessage returns the log of a rejection. */
export function verifierLogFromMessage(message: VerifierLogMessage | undefined): VerifierLog {
  return {
    text: message?.text ?? '',
    truncated: message?.truncated ?? false,
    trueSize: message?.trueSize || null,
  };
}
