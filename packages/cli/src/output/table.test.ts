import { stripVTControlCharacters } from 'node:util';
import { expect, test } from '@jest/globals';
import { makeColors } from './colors.js';
import { formatTable } from './table.js';

const colors = makeColors(false);
const columns = [
  { heading: 'ID', align: 'right' },
  { heading: 'NAME', shrinks: true },
  { heading: 'TYPE', shrinks: true },
] as const;
const rows = [
  ['1', 'short', 'int'],
  ['100', 'a_rather_long_name', 'struct with_a_long_name *'],
];

test('columns are as narrow as their cells', () => {
  expect(formatTable(columns, rows, { width: null, colors }).split('\n')).toEqual([
    ' ID  NAME                TYPE',
    '  1  short               int',
    '100  a_rather_long_name  struct with_a_long_name *',
    '',
  ]);
});

test.each([40, 30, 20])('a table is cut to %d columns, the widest column first', (width) => {
  const lines = formatTable(columns, rows, { width, colors }).split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBe(width);
  expect(lines[2]).toMatch(/^100 {2}a.*… {2}struc.*…$/);
});

test.each([
  [17, ' ID  NAME    TYPE', '100  a_rat…  str…'],
  [12, ' ID  NAME', '100  a_rat…'],
  [2, 'ID', '1…'],
])('a terminal of %d columns is used fully', (width, heading, row) => {
  const lines = formatTable(columns, rows, { width, colors }).split('\n');
  expect([lines[0], lines[2]]).toEqual([heading, row]);
});

test('control sequences of terminals are replaced', () => {
  expect(formatTable([{ heading: 'X' }], [['a\u001B[2Jb\u202E']], { width: null, colors })).toBe(
    'X\na�[2Jb�\n',
  );
});

test('colours do not change the widths', () => {
  const painted = formatTable(columns, rows, { width: 30, colors: makeColors(true) });
  expect(stripVTControlCharacters(painted)).toBe(formatTable(columns, rows, { width: 30, colors }));
  expect(painted).toContain('\u001B[1m');
});

test('a column that shrinks last is cut when no other one can be', () => {
  const paths = [columns[0], { heading: 'NAME', shrinks: 'last' }, columns[2]] as const;
  const rowOf = (width: number): string | undefined =>
    formatTable(paths, rows, { width, colors }).split('\n')[2];
  expect(rowOf(35)).toBe('100  a_rather_long_name  struct wi…');
  expect(rowOf(25)).toBe('100  a_rather_lo…  struc…');
});
