import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { selectTypes } from '../build/select.js';
import { formatLayout } from '../print/layout-text.js';
import { pointerSize } from '../query/pointer-size.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';

const POINTER_TO_ARRAY = 'pahole prints a pointer to an array as one to its element';
const QUALIFIED_POINTER = 'pahole prints a qualifier of a pointer as one of its target';
const QUALIFIED_STRUCT = 'pahole prints sums within a qualified anonymous struct';
const ORDER = 'pahole infers that a struct is packed from types that it printed before';
const SKIPPED = 'pahole skips a type of the same name, size and places as an earlier one';

/**
 * The reasons why pahole 1.32 prints a type in another way, with a test of both texts. Each turns one into the other, so
 * that nothing else differs.
 */
const REASONS = {
  [POINTER_TO_ARRAY]: ({ ours, theirs }) =>
    eachLine(
      ours,
      theirs,
      (our, their) => spaced(our.replace(/\(\*(\w+)\)\[\d+\]/, '* $1')) === spaced(their),
    ),
  [QUALIFIED_POINTER]: ({ ours, theirs }) =>
    eachLine(ours, theirs, (our, their) => /\* const\b/.test(our) && words(our) === words(their)),
  [QUALIFIED_STRUCT]: ({ ours, theirs }) =>
    // The line at its end has its place in another column.
    eachLine(ours, theirs.replaceAll(INNER_SUMS, ''), (our, their) => spaced(our) === spaced(their)),
  [ORDER]: ({ ours, alone }) => ours === alone(),
} satisfies Record<string, (texts: Texts) => boolean>;

/** Sums that are not those of the outermost type, after an empty line. */
const INNER_SUMS = /\n\t{2,}\/\* size: .*\n(?:\t{2,}\/\* (?:sum members|last cacheline): .*\n)*/g;

interface Texts {
  readonly ours: string;
  readonly theirs: string;
  /** Returns the text of pahole if it prints nothing else. */
  readonly alone: () => string;
}

/** LayoutComparison is the result of {@link compareLayouts}. */
export interface LayoutComparison {
  /** The number of structs and unions that pahole prints byte for byte as formatLayout. */
  readonly equal: number;
  /** The number of others, by the reason. */
  readonly others: Readonly<Record<string, number>>;
  /** Names of others for which there is no reason, with the first lines that differ. */
  readonly unexplained: readonly string[];
}

/** compareLayouts compares the layouts of all structs and unions of BTF in a file, with and without a name, with pahole's. */
export function compareLayouts(path: string, spec: Spec): LayoutComparison {
  // Types come in the order of their ids.
  const blocks = paholeBlocks(path);
  const others: Record<string, number> = {};
  const unexplained: string[] = [];
  let equal = 0;
  let next = 0;
  for (const id of spec.typeIds()) {
    const { kind, name } = spec.typeById(id);
    if (kind !== 'STRUCT' && kind !== 'UNION') continue;
    const ours = formatLayout({ spec, typeId: id, pointerSize: pointerSize(spec) });
    const theirs = blocks[next] ?? '';
    const isSkipped = headOf(ours) !== headOf(theirs);
    if (!isSkipped) next += 1;
    if (ours === theirs) {
      equal += 1;
      continue;
    }
    const reason = isSkipped
      ? ours === paholeSelected(spec, id, name) && SKIPPED
      : Object.entries(REASONS).find(([, holds]) =>
          holds({ ours, theirs, alone: () => paholeBlocks(path, name)[0] ?? '' }),
        )?.[0];
    if (typeof reason === 'string') others[reason] = (others[reason] ?? 0) + 1;
    else unexplained.push(`${id} ${headOf(ours)}: ${firstDifference(ours, theirs)}`);
  }
  for (const block of blocks.slice(next)) unexplained.push(`only pahole: ${headOf(block)}`);
  return { equal, others, unexplained };
}

/** The results for Debian's kernels. The counts are exact for the release that is pinned. */
const EXPECTED: Readonly<Record<string, Omit<LayoutComparison, 'unexplained'>>> = {
  '6.1.0-56-cloud-amd64': {
    equal: 9649,
    others: { [POINTER_TO_ARRAY]: 10, [QUALIFIED_POINTER]: 5, [QUALIFIED_STRUCT]: 1, [SKIPPED]: 1 },
  },
  '6.12.118+deb13-cloud-amd64': {
    equal: 11100,
    others: { [POINTER_TO_ARRAY]: 19, [QUALIFIED_POINTER]: 6, [QUALIFIED_STRUCT]: 1, [SKIPPED]: 1 },
  },
  '6.18.15+deb13-cloud-amd64': {
    equal: 11841,
    others: { [POINTER_TO_ARRAY]: 22, [QUALIFIED_POINTER]: 19, [QUALIFIED_STRUCT]: 1, [SKIPPED]: 1 },
  },
  '7.3.4+deb13-cloud-amd64': {
    equal: 12534,
    others: {
      [POINTER_TO_ARRAY]: 19,
      [QUALIFIED_POINTER]: 19,
      [QUALIFIED_STRUCT]: 1,
      [SKIPPED]: 2,
      [ORDER]: 4,
    },
  },
};

/**
 * checkCounts expects the counts of a kernel, and prints them. Of a release that is newer than the counts, at most one of a
 * hundred types may differ, for the same reasons.
 */
export function checkCounts(release: string, { equal, others, unexplained }: LayoutComparison): void {
  console.info(
    `${release}: ${equal} structs and unions as pahole prints them, others: ${JSON.stringify(others)}`,
  );
  expect(unexplained).toEqual([]);
  const expected = EXPECTED[release];
  if (expected !== undefined) expect({ equal, others }).toEqual(expected);
  expect(equal).toBeGreaterThan(9000);
  expect(Object.values(others).reduce((sum, count) => sum + count, 0)).toBeLessThan(equal / 100);
}

/** paholeBlocks returns what pahole prints for all structs and unions, or for one with a name, one by one. */
export function paholeBlocks(path: string, name?: string): string[] {
  // With both options, types without a name too.
  const which = name === undefined ? ['--anon_include', '--nested_anon_include'] : ['--class_name', name];
  const output = execFileSync('pahole', ['-F', 'btf', ...which, path], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return output.split(/(?<=^\}.*;\n)/m).filter((block) => block.trim() !== '');
}

/** Returns what pahole prints for a type if there are only types that it needs. */
function paholeSelected(spec: Spec, id: TypeId, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'btf-layout-'));
  try {
    const path = join(folder, 'btf');
    writeFileSync(path, selectTypes(spec, [id]).bytes);
    return paholeBlocks(path, name)[0] ?? '';
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function headOf(text: string): string {
  return text.slice(0, text.indexOf('{'));
}

function spaced(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}

/** Returns the words of a line in another order. */
function words(line: string): string {
  return (line.match(/\w+|[^\w\s]/g) ?? []).toSorted().join(' ');
}

/** Whether a condition holds for each pair of lines that differ. */
function eachLine(ours: string, theirs: string, holds: (our: string, their: string) => boolean): boolean {
  const theirLines = theirs.split('\n');
  const ourLines = ours.split('\n');
  return (
    ourLines.length === theirLines.length &&
    ourLines.every((our, i) => our === theirLines[i] || holds(our, theirLines[i] ?? ''))
  );
}

function firstDifference(ours: string, theirs: string): string {
  const theirLines = theirs.split('\n');
  const ourLines = ours.split('\n');
  const at = Array.from(theirLines.keys()).find((i) => theirLines[i] !== ourLines[i]) ?? theirLines.length;
  return `${ourLines[at]} <> ${theirLines[at]}`;
}
