import type { FailureKind, NodeFailure, NodeOutcome } from '@btfd/fleet';
import { hintForNode } from '../error/explain-error.js';
import { ExitCode } from '../error/exit-code.js';
import { counted, grouped } from '../output/numbers.js';

/** FleetNodes are the nodes of a fleet after a question, with their outcomes. */
export interface FleetNodes {
  /** By name. */
  readonly outcomes: ReadonlyMap<string, NodeOutcome>;
  /** The addresses of nodes by name. */
  readonly addresses: ReadonlyMap<string, string>;
}

/** FoldedFailure is one reason why some nodes gave no answer. */
export interface FoldedFailure {
  readonly kind: FailureKind;
  readonly message: string;
  /** Advice on the next step, or null. */
  readonly hint: string | null;
  /** The names of the nodes. */
  readonly nodes: readonly string[];
}

/** KIND_TEXTS say why nodes gave no answer, after their number. */
export const KIND_TEXTS: Readonly<Record<FailureKind, string>> = {
  unreachable: 'unreachable',
  refused: 'refused',
  unsupported: 'too old',
  failed: 'failed',
  'not-ready': 'not ready',
  starved: 'starved',
  late: 'late',
};

/** foldedFailures returns the failures of nodes, equal ones once, those of the most nodes first. */
export function foldedFailures({ outcomes, addresses }: FleetNodes): FoldedFailure[] {
  const folded = new Map<string, FoldedFailure & { readonly nodes: string[] }>();
  for (const [name, outcome] of outcomes) {
    if (!isFailure(outcome)) continue;
    const { kind } = outcome;
    const message = failureText(outcome, addresses.get(name));
    const key = `${kind} ${message}`;
    const same = folded.get(key) ?? { kind, message, hint: hintForNode(outcome.error), nodes: [] };
    folded.set(key, same);
    same.nodes.push(name);
  }
  return [...folded.values()].toSorted(
    (a, b) => b.nodes.length - a.nodes.length || (a.message < b.message ? -1 : 1),
  );
}

/** The parts of errors that only repeat that the node cannot be reached. */
const OF_DAEMON =
  /^the daemon at its address cannot be reached: |^cannot connect to its address: | (?:to|from) the daemon at its address$/;

/**
 * failureText returns why a node gave no answer, in words that are the same for all nodes with that reason.
 *
 * @param address its address; empty if it has none
 */
export function failureText({ kind, error }: NodeFailure, address = ''): string {
  if (kind === 'starved') return 'no response in time, but btfctl itself did not run for a second of it';
  const text = error.rawMessage;
  return address === '' ? text : text.replaceAll(address, 'its address').replace(OF_DAEMON, '');
}

/** missingText counts the nodes without an answer: `9 of 995 nodes gave no answer: 7 unreachable, 2 refused`; null if all gave one. */
export function missingText({ outcomes }: FleetNodes): string | null {
  const counts = new Map<FailureKind, number>();
  let missing = 0;
  for (const outcome of outcomes.values()) {
    if (!isFailure(outcome)) continue;
    missing += 1;
    counts.set(outcome.kind, (counts.get(outcome.kind) ?? 0) + 1);
  }
  if (missing === 0) return null;
  const parts = [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${grouped(count)} ${KIND_TEXTS[kind]}`);
  return `${grouped(missing)} of ${counted(outcomes.size, 'node')} gave no answer: ${parts.join(', ')}`;
}

/**
 * fleetExitCode returns the exit code of a question.
 *
 * @param own the exit code without regard to nodes that are missing.
 */
export function fleetExitCode({ outcomes }: FleetNodes, own: number): number {
  if (own !== ExitCode.OK) return own;
  const failed = [...outcomes.values()].filter(isFailure).length;
  if (failed === 0) return ExitCode.OK;
  return failed === outcomes.size ? ExitCode.UNREACHABLE : ExitCode.INCOMPLETE;
}

/** nodesData returns the nodes for programs, by name. */
export function nodesData({ outcomes, addresses }: FleetNodes): object[] {
  return [...outcomes]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, outcome]) =>
      // JSON has no property that is undefined.
      Object.assign({ name, address: addresses.get(name) }, outcomeData(outcome)),
    );
}

function outcomeData(outcome: NodeOutcome): object {
  switch (outcome.kind) {
    case 'answered':
      return { outcome: outcome.kind };
    case 'inferred':
      return { outcome: outcome.kind, from: outcome.from };
    case 'duplicate':
      return { outcome: outcome.kind, of: outcome.of };
    case 'unreachable':
    case 'refused':
    case 'unsupported':
    case 'failed':
    case 'not-ready':
    case 'starved':
    case 'late':
      return { outcome: outcome.kind, error: outcome.error.rawMessage };
  }
}

/** isFailure reports whether a node gave no answer. */
export function isFailure(outcome: NodeOutcome): outcome is NodeFailure {
  return 'error' in outcome;
}
