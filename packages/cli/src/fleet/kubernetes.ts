import type { NodeSource } from '@btfd/fleet';
import { kubernetesNodes } from '@btfd/fleet/kubernetes';
import { CliError, isBtfError, usageError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import type { NodeSourceOptions } from '../grammar/fleet-options.js';
import { withListingErrors } from './listing-errors.js';

/** The exit codes of a listing that fails, by the code of its error. The hints for daemons are of no use for Kubernetes. */
const EXIT_CODES: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: ExitCode.DENIED,
  PERMISSION_DENIED: ExitCode.DENIED,
  NOT_FOUND: ExitCode.NOT_FOUND,
  UNAVAILABLE: ExitCode.UNREACHABLE,
  DEADLINE_EXCEEDED: ExitCode.UNREACHABLE,
};

/**
 * kubernetesSource returns a source of the nodes of `--kubernetes`. Its listings fail with a CliError.
 *
 * @throws CliError USAGE if the option is not NAMESPACE/SERVICE.
 */
export function kubernetesSource({ kubernetes = '', kubeContext }: NodeSourceOptions): NodeSource {
  const [namespace = '', service = '', ...more] = kubernetes.split('/');
  if (namespace === '' || service === '' || more.length > 0) {
    throw usageError(`--kubernetes ${JSON.stringify(kubernetes)} is not NAMESPACE/SERVICE`);
  }
  return withListingErrors(kubernetesNodes({ namespace, service, context: kubeContext }), (error) =>
    isBtfError(error)
      ? new CliError(EXIT_CODES[error.codeName] ?? ExitCode.FAILURE, error.rawMessage)
      : error,
  );
}
