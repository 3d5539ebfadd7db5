import type { KubeConfig } from '@kubernetes/client-node';
import { BtfError, status } from '@btfd/client';
import { oneLine } from '../base/one-line.js';
import { clientNode } from './client-node.js';

/** The context that client-node makes up, for a server without TLS on this machine, if it finds none. */
const MADE_UP = 'loaded-context';
/** Names of contexts in a message. */
const MAX_NAMED = 10;

/**
 * kubeConfigOf reads the kubeconfig, or the service account of the pod.
 *
 * @param choice the options of `kubernetesNodes`. Their type is not declared here, because the declarations of this
 *   file need `@kubernetes/client-node`, which users may not have.
 * @throws BtfError FAILED_PRECONDITION if there is none, it cannot be read, or it lacks the context.
 */
export async function kubeConfigOf({
  kubeconfig,
  context,
}: {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}): Promise<KubeConfig> {
  const { KubeConfig } = await clientNode();
  const config = new KubeConfig();
  try {
    if (kubeconfig !== undefined) config.loadFromFile(kubeconfig);
    // As kubectl, the first file that names a current context counts.
    else config.loadFromDefault(undefined, true);
  } catch (error) {
    const where = kubeconfig ?? process.env['KUBECONFIG'] ?? '~/.kube/config';
    throw unusable(`cannot read the kubeconfig ${oneLine(where)}`, error);
  }
  if (config.getCurrentContext() === MADE_UP) {
    throw unusable('there is neither a kubeconfig nor a service account: set KUBECONFIG, or run in a pod');
  }
  if (context !== undefined) config.setCurrentContext(context);
  if (config.getCurrentCluster() === null) throw unusable(noCluster(config));
  return config;
}

function noCluster(config: KubeConfig): string {
  const names = config.getContexts().map(({ name }) => oneLine(name));
  const shown = names.length > MAX_NAMED ? [...names.slice(0, MAX_NAMED), '...'] : names;
  const current = config.getCurrentContext();
  const lacks = current ? `no cluster for the context "${oneLine(current)}"` : 'no current context';
  return `the kubeconfig has ${lacks}: it has the contexts ${shown.join(', ') || '(none)'}`;
}

/** unusable returns the error for a kubeconfig or credentials that cannot be used. */
export function unusable(problem: string, cause?: unknown): BtfError {
  const why = cause === undefined ? '' : `: ${oneLine(cause)}`;
  return new BtfError({
    code: status.FAILED_PRECONDITION,
    reason: null,
    message: `${problem}${why}`,
    cause,
  });
}
