import { wrapped } from '../compat/finding-text.js';
import { printable } from '../output/safe-text.js';
import { grouped } from '../output/numbers.js';
import type { Session } from '../session/session.js';
import { foldNames, someNames } from './folded-names.js';
import { type FleetNodes, foldedFailures, KIND_TEXTS, missingText } from './outcomes.js';

/** NamedNodes are the nodes of a build, with the label of the build. */
export interface NamedNodes {
  readonly label: string;
  readonly nodes: readonly string[];
}

const INDENT = '  ';
/** The reasons that are shown of nodes without an answer, and the parts of the names of each. */
const MOST_REASONS = 5;
const MOST_NAMES = 4;

/** nodesText lists all nodes in short: those of each build, and those that gave no answer. It is the part of `--nodes`. */
export function nodesText(builds: readonly NamedNodes[], nodes: FleetNodes, session: Session): string {
  const duplicates = [...nodes.outcomes].filter(([, { kind }]) => kind === 'duplicate');
  const sections = [
    ...builds.map(({ label, nodes: names }) => ({ title: label, names })),
    ...foldedFailures(nodes).map(({ kind, message, nodes: names }) => ({
      title: `${KIND_TEXTS[kind]}: ${message}`,
      names,
    })),
    { title: 'the same daemon as another node', names: duplicates.map(([name]) => name) },
  ];
  return sections
    .filter(({ names }) => names.length > 0)
    .map(({ title, names }) => {
      const heading = session.colors.strong(`${printable(title)} (${grouped(names.length)})`);
      const text = foldNames(names)
        .map((part) => part.text)
        .join(' ');
      return `\n${heading}\n${wrapped(printable(text), session.width, INDENT).join('\n')}\n`;
    })
    .join('');
}

/** warnOfMissing prints which nodes gave no answer, and why, on standard error. */
export function warnOfMissing(
  session: Pick<Session, 'warn' | 'noteOnce'>,
  nodes: FleetNodes,
  listsNodes: boolean,
): void {
  const text = missingText(nodes);
  if (text === null) return;
  const failures = foldedFailures(nodes);
  const shown = failures.slice(0, MOST_REASONS);
  const lines = shown.flatMap(({ kind, message, hint, nodes: names }) => [
    `${grouped(names.length)} ${KIND_TEXTS[kind]}: ${printable(message)}: ${someNames(names, MOST_NAMES)}`,
    ...(hint === null ? [] : [`  hint: ${hint}`]),
  ]);
  const more = failures.length - shown.length;
  if (more > 0) lines.push(`and ${grouped(more)} other reasons`);
  session.warn([text, ...lines].join('\n'));
  const isCut = more > 0 || failures.some(({ nodes: names }) => foldNames(names).length > MOST_NAMES);
  if (isCut && !listsNodes) session.noteOnce('--nodes lists all of them');
}
