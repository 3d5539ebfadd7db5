import { BtfError, status } from '@btfd/client';
import { oneLine } from '../base/one-line.js';

type ClientNode = typeof import('@kubernetes/client-node');

/** The first Node that release 2 of the package runs on. */
const NODE_FOR_2 = [22, 19] as const;

/**
 * clientNode loads `@kubernetes/client-node`, an optional peer dependency: it has 70 dependencies, and loading it takes
 * 0.8 s of CPU time.
 *
 * @param load - imports it
 * @param node - the version of Node
 * @throws BtfError FAILED_PRECONDITION that names the command that installs it.
 */
export async function clientNode(
  load: () => Promise<ClientNode> = async () => import('@kubernetes/client-node'),
  node = process.versions.node,
): Promise<ClientNode> {
  try {
    return await load();
  } catch (error) {
    const name = `@kubernetes/client-node${isOld(node) ? '@1' : ''}`;
    const message = `nodes of Kubernetes need the package @kubernetes/client-node, which cannot be loaded with Node ${node}: install it with \`npm install ${name}\` (${oneLine(error)})`;
    throw new BtfError({ code: status.FAILED_PRECONDITION, reason: null, message, cause: error });
  }
}

function isOld(node: string): boolean {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  return major < NODE_FOR_2[0] || (major === NODE_FOR_2[0] && minor < NODE_FOR_2[1]);
}
