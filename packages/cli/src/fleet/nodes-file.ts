import { type NodeSource, staticNodes } from '@btfd/fleet';
import { isAddress } from '../config/target.js';
import { isBtfError, notFound, usageError } from '../error/cli-error.js';
import type { Session } from '../session/session.js';
import { readFile } from '../source/read-file.js';
import { STANDARD_INPUT } from '../source/spec-ref.js';

/**
 * nodesInFile returns a source of the nodes in a file: a line for each with NAME ADDRESS, or ADDRESS. Empty lines and those
 * that start with # are left out.
 *
 * @throws CliError USAGE with the number of an invalid line; NOT_FOUND without nodes; as `readFile` does.
 */
export async function nodesInFile(session: Session, path: string): Promise<NodeSource> {
  if (path === STANDARD_INPUT) session.takeInput();
  const bytes = await readFile(path, session.interrupted, () => {});
  return nodesInText(path === STANDARD_INPUT ? 'standard input' : path, Buffer.from(bytes).toString());
}

/** nodesInText returns a source of the nodes in the text of a file. @throws CliError as {@link nodesInFile}. */
export function nodesInText(file: string, text: string): NodeSource {
  const lines = text.split('\n').flatMap((line, index) => {
    const words = line.trim().split(/\s+/);
    return words[0] === '' || words[0]?.startsWith('#') === true ? [] : [{ number: index + 1, words }];
  });
  const nodes = lines.map(({ number, words }) => {
    const [first = '', second, ...more] = words;
    if (more.length > 0) {
      throw usageError(`${file}: line ${number} has ${words.length} words: use NAME ADDRESS, or ADDRESS`);
    }
    const address = second ?? first;
    if (!isAddress(address)) {
      const shown = JSON.stringify(address);
      throw usageError(`${file}: line ${number}: invalid address ${shown}: use unix:/PATH or HOST:PORT`);
    }
    return second === undefined ? { address } : { name: first, address };
  });
  if (nodes.length === 0) throw notFound(`${file} has no nodes`);
  try {
    return { ...staticNodes(nodes), description: file };
  } catch (error) {
    if (!isBtfError(error)) throw error;
    const [violation] = error.fieldViolations;
    const line = lines[Number(/^nodes\[(\d+)\]/.exec(violation?.field ?? '')?.[1])];
    throw usageError(
      line === undefined
        ? `${file}: ${error.rawMessage}`
        : `${file}: line ${line.number}: ${violation?.description ?? ''}`,
    );
  }
}
