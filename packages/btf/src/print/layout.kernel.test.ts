import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Spec } from '../spec.js';
import { VMLINUX } from '../testing/bpftool.js';

import { layoutOf } from './layout.js';
import { formatLayout } from './layout-text.js';

/** Remarks of pahole that it infers from the layout. */
const REMARKS = /member types with|flexible array members:|Force alignment|Bitfield combined|^[\w ]+ ?:\d+;$/;

/** The first different line of ours and pahole's (1.32) shows the reason. */
const EXPLAINED: Readonly<Record<string, (ours: string, theirs: string) => boolean>> = {
  'pahole infers more forced alignments': (ours, theirs) =>
    /forced alignments: \d/.test(theirs) && (ours === '};' || ours.includes('forced alignments')),
  'pahole expands anonymous types of array elements, and enums': (ours) => ours.includes('{ ... }'),
  'pahole puts a qualifier of a pointer or array before all': (ours, theirs) =>
    ours.includes('* const') || theirs.startsWith('const const'),
  'pahole spaces qualified types otherwise': (ours, theirs) =>
    ours.replaceAll(' ', '') === theirs.replaceAll(' ', ''),
  'pahole prints a pointer to an array as one to its element': (ours) => /\(\*\w+\)\[/.test(ours),
  'pahole remembers cache lines otherwise behind nested types': (ours, theirs) =>
    ours.includes('cacheline') || theirs.includes('cacheline'),
  'pahole splits holes behind bitfields between bits and bytes otherwise': (ours, theirs) =>
    / hole|padding/.test(ours) && / bits? hole|bit_padding/.test(theirs),
};

needs('vmlinux', 'pahole').describe('layouts of the running kernel’s structs', () => {
  test('equal pahole’s text except for spaces, remarks and explained differences', () => {
    const spec = Spec.parse(new Uint8Array(readFileSync(VMLINUX)));
    const theirs = paholeStructs();
    const explained: Record<string, number> = {};
    const unexplained: string[] = [];
    let equal = 0;
    const counts = new Map<string, number>();
    for (const { kind, name } of spec) if (kind === 'STRUCT') counts.set(name, (counts.get(name) ?? 0) + 1);
    for (const type of spec) {
      const text = type.kind === 'STRUCT' ? theirs.get(type.name) : undefined;
      if (text === undefined || counts.get(type.name) !== 1) continue;
      const ourLines = significant(formatLayout(layoutOf(spec, type.id)));
      const theirLines = significant(text);
      const at = Array.from(theirLines.keys()).find((i) => ourLines[i] !== theirLines[i]);
      if (at === undefined && ourLines.length === theirLines.length) {
        equal += 1;
        continue;
      }
      const [our = '', their = ''] = [ourLines[at ?? 0], theirLines[at ?? 0]];
      const reason = Object.keys(EXPLAINED).find((name) => EXPLAINED[name]?.(our, their) === true);
      if (reason === undefined) unexplained.push(`${type.name}: ${our} <> ${their}`);
      else explained[reason] = (explained[reason] ?? 0) + 1;
    }
    console.info(`${equal} structs as pahole prints them; others: ${JSON.stringify(explained, null, 1)}`);
    expect(unexplained).toEqual([]);
    expect(equal).toBeGreaterThan(2000);
    expect(Object.values(explained).reduce((sum, count) => sum + count)).toBeLessThan(equal / 40);
  });
});

/** The text of pahole for each struct whose name it prints once. */
function paholeStructs(): Map<string, string> {
  const output = execFileSync('pahole', ['-F', 'btf', '--structs', VMLINUX], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const texts = new Map<string, string>();
  const repeated = new Set<string>();
  for (const text of output.split(/^(?=struct \w+ \{)/m)) {
    const name = /^struct (\w+) /.exec(text)?.[1];
    if (name === undefined) continue;
    if (texts.has(name)) repeated.add(name);
    texts.set(name, text);
  }
  for (const name of repeated) texts.delete(name);
  return texts;
}

function significant(text: string): string[] {
  return (
    text
      .replaceAll(/\s*__attribute__\(\(__(?:aligned__\(\d+\)|packed__)\)\)/g, '')
      .replaceAll('* *', '**')
      .replaceAll('[]', '[0]')
      // pahole 1.30 remarks more than the bytes of padding.
      .replaceAll(
        /[/][*] XXX last struct has (?:[^*]*, )?(\d+ bytes? of padding)[^*]*[*][/]/g,
        '/* XXX last struct has $1 */',
      )
      .replaceAll(/[/][*] XXX last struct has (?!\d+ bytes? of padding )[^*]*[*][/]/g, '')
      .split('\n')
      .map((line) => line.replaceAll(/\s+/g, ' ').trim())
      .filter((line) => line !== '' && !REMARKS.test(line))
  );
}
