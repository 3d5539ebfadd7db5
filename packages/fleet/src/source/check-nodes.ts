import { createHash } from 'node:crypto';
import { BtfError, status } from '@btfd/client';
import { orAborted } from '../base/bounded.js';
import { oneLine } from '../base/one-line.js';
import type { FleetNode, NodeSource } from './node-source.js';

/** MAX_NODES is the largest fleet. A source that lists more is broken or hostile. */
export const MAX_NODES = 10_000;

/** The longest name of a node in Kubernetes. */
const MAX_NAME = 253;
/** A unix socket's path has 108 bytes, a host name 253. */
const MAX_ADDRESS = 512;
const MAX_PROBLEM = 512;
/** As many as people write. Kubernetes has no limit of its own on them. */
const MAX_LABELS = 64;
/** The longest key of a label in Kubernetes has 317 characters, and the longest value 63. */
const MAX_LABEL = 317;

/** isNodeName reports whether a text can be the name of a node. */
export function isNodeName(text: unknown): text is string {
  return typeof text === 'string' && text.length <= MAX_NAME && /^[!-~]+$/.test(text);
}

/**
 * listNodes returns the nodes of a source. Their names, addresses and labels are bounded and printable. A node that does not
 * fit these bounds is a {@link badNode}.
 *
 * @throws BtfError INVALID_RESPONSE for more than 10,000 nodes, and if the source does not return an array.
 * @throws what the source throws.
 */
export async function listNodes(source: NodeSource, signal: AbortSignal): Promise<readonly FleetNode[]> {
  // A source of others may ignore the signal.
  const nodes = await orAborted(Promise.resolve(source.list({ signal })), signal);
  if (!Array.isArray(nodes)) throw badSource(source, 'must list an array of nodes');
  if (nodes.length > MAX_NODES) {
    throw badSource(source, `lists ${nodes.length} nodes: a fleet has at most ${MAX_NODES}`);
  }
  return nodes.map((node, index) => {
    const problem = problemOf(node);
    if (problem === null) return node;
    const { name, address }: Fields = Object(node);
    const text = [name, address].find(isText) ?? shownName(`node ${index + 1}`);
    return badNode(text, `bad node of ${source.description}: ${problem}`);
  });
}

function badSource({ description }: NodeSource, problem: string): BtfError {
  const message = `${description} ${problem}`;
  return new BtfError({ code: status.INTERNAL, reason: 'INVALID_RESPONSE', message });
}

/** The fields of a node that nobody has checked. A source may pass on what it has parsed. */
type Fields = Readonly<Partial<Record<keyof FleetNode, unknown>>>;

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** How much of a text that cannot be a name is shown. */
const MAX_SHOWN = 100;

/**
 * badNode returns a node that its source lists but that cannot be asked. So it does not hide the other nodes, and is not
 * overlooked.
 *
 * @param text its name, or another text that identifies it, which may come from a stranger.
 */
export function badNode(text: string, problem: string): FleetNode {
  return { name: isNodeName(text) ? text : shownName(text), address: '', problem: oneLine(problem) };
}

/** shownName returns a name for a text that is not one, or not free. The digest keeps it apart from the names of other texts. */
export function shownName(text: string): string {
  const shown = text.slice(0, MAX_SHOWN).replaceAll(/[^!-~]/g, '?');
  return `${shown}~${createHash('sha256').update(text).digest('hex').slice(0, 8)}`;
}

/** problemOf returns what is wrong with a node, or null. It does not repeat the text, which may not be printable. */
export function problemOf(node: unknown): string | null {
  if (typeof node !== 'object' || node === null) return 'it is not an object';
  const { name, address, serverName, labels = {}, problem }: Fields = node;
  if (name !== undefined && !isNodeName(name)) {
    return `its name is not ${MAX_NAME} printable ASCII characters at most, without spaces`;
  }
  if (problem !== undefined && !isPrintable(problem, MAX_PROBLEM)) {
    return `its problem is not ${MAX_PROBLEM} printable ASCII characters at most`;
  }
  if (!isPrintable(address, MAX_ADDRESS) || !(problem === undefined ? /^[^ ]+$/ : /^[^ ]*$/).test(address)) {
    return `its address is not ${MAX_ADDRESS} printable ASCII characters at most, without spaces`;
  }
  if (serverName !== undefined && !isNodeName(serverName)) return 'its server name is not the name of a host';
  if (!isRecordOfTexts(labels)) return 'its labels are not an object with texts';
  const entries = Object.entries(labels);
  if (entries.length > MAX_LABELS) return `it has more than ${MAX_LABELS} labels`;
  if (!entries.flat().every((text) => isPrintable(text, MAX_LABEL))) {
    return `a label is not ${MAX_LABEL} printable ASCII characters at most`;
  }
  return null;
}

/** isRecordOfTexts reports whether a value is an object whose values are texts, as labels are. */
export function isRecordOfTexts(value: unknown): value is Readonly<Record<string, string>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((text) => typeof text === 'string')
  );
}

function isPrintable(text: unknown, max: number): text is string {
  return typeof text === 'string' && text.length <= max && /^[ -~]*$/.test(text);
}
