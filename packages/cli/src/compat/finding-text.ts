import type { Colors } from '../output/colors.js';
import { counted, grouped } from '../output/numbers.js';
import { printable } from '../output/safe-text.js';
import { someOf } from '../output/some-of.js';
import { clip } from '../output/table.js';
import type { GroupedFinding } from './finding-groups.js';
import { isRelocation, paintVerdict, sourceText, valueText, verdictWord } from './words.js';

/** FindingTextOptions are the options of {@link findingText}. */
export interface FindingTextOptions {
  readonly colors: Colors;
  /** Columns of the terminal; null for no limit. */
  readonly width: number | null;
  /** Whether to show all that is known. */
  readonly wide: boolean;
  /** How many kernels there are, of which a finding may concern some. */
  readonly kernels: number;
}

const INDENT = '      ';

/** Programs and names that are shown of one finding. */
const MOST_SHOWN = 4;

/** findingText returns a finding as lines that end with line breaks. */
export function findingText(group: GroupedFinding, options: FindingTextOptions): string {
  const { colors, wide, width, kernels } = options;
  const verdict = paintVerdict(verdictWord(group.verdict), colors);
  const most = wide ? Infinity : MOST_SHOWN;
  const subject = colors.name(printable(someOf(group.subjects, most)));
  const change = group.change === '' ? '' : `  ${group.change}`;
  const lines = [`  ${verdict}  ${group.kind}  ${subject}${change}`];
  const add = (text: string): void => {
    if (text !== '') lines.push(...wrapped(printable(text), width, INDENT));
  };
  add(group.reason);
  if (group.local !== '') add(`object: ${group.local}`);
  if (group.target !== '') add(`kernel: ${group.target}`);
  if (group.near.length > 0) add(`similar names in the kernel: ${group.near.join(', ')}`);
  if (wide) for (const text of details(group)) add(text);
  if (group.source !== null) lines.push(sourceLine(group, options));
  if (group.places.length > 0) add(`in ${someOf(group.places, most, '; ')}`);
  if (kernels > 1)
    add(group.kernels.length === kernels ? 'on every kernel' : `on ${group.kernels.join(', ')}`);
  return lines.map((line) => `${line}\n`).join('');
}

function sourceLine({ source }: GroupedFinding, { colors, width, wide }: FindingTextOptions): string {
  if (source === null) return '';
  const place = `${INDENT}${printable(sourceText(source, wide))}`;
  const text = printable(source.text.trim().replaceAll(/\s+/g, ' '));
  if (text === '') return place;
  const room = width === null ? Infinity : width - place.length - 2;
  return `${place}  ${colors.faint(clip(text, Math.max(room, 0)))}`.trimEnd();
}

/** Returns the values of the compiler, and the types of the kernel that were compared. */
function details({ first }: GroupedFinding): string[] {
  if (!isRelocation(first)) return first.object === null ? [] : [`found in ${first.object}`];
  const { local, localValue, localSize, match, candidates, candidateCount } = first.relocation;
  const more = candidateCount - candidates.length;
  const size = localSize > 0 ? `, ${counted(localSize, 'byte')}` : '';
  const access = local === null ? '' : `, access ${local.access === '' ? '0' : local.access}`;
  return [
    `compiled as ${valueText(first.relocation, localValue)}${size}${access}`,
    ...(match?.place == null ? [] : [`the kernel has ${match.place.text} in ${match.object}`]),
    ...candidates.flatMap(({ object, typeName, typeId, reason }) =>
      reason === '' ? [] : [`compared with [${typeId}] ${typeName} in ${object}: ${reason}`],
    ),
    ...(more > 0 ? [`compared with ${grouped(more)} more types`] : []),
  ];
}

/** wrapped breaks a text between its words into indented lines. @param width null for no limit. */
export function wrapped(text: string, width: number | null, indent: string): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    const isFirst = line === indent;
    if (width !== null && !isFirst && line.length + 1 + word.length > width) {
      lines.push(line);
      line = `${indent}${word}`;
    } else {
      line += isFirst ? word : ` ${word}`;
    }
  }
  return [...lines, line];
}
