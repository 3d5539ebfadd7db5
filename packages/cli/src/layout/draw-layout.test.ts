import { expect, test } from '@jest/globals';
import { Builder, layoutOf, type Member } from '@btfd/btf';
import { makeColors } from '../output/colors.js';
import { drawLayout } from './draw-layout.js';

const builder = new Builder();
const char = builder.add({ kind: 'INT', name: 'char', size: 1, encoding: 0, bits: 8, bitOffset: 0 });
const int = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
const long = builder.add({ kind: 'INT', name: 'long', size: 8, encoding: 1, bits: 64, bitOffset: 0 });
const buffer = builder.add({ kind: 'ARRAY', typeId: char, indexTypeId: int, nelems: 200 });
const member = (name: string, typeId: number, byte: number, bit = 0, bitfieldSize = 0): Member => ({
  name,
  typeId,
  bitOffset: byte * 8 + bit,
  bitfieldSize,
});

function draw(
  size: number,
  members: readonly Member[],
  width: number | null = null,
  kind = 'STRUCT',
): string[] {
  const id =
    kind === 'STRUCT'
      ? builder.add({ kind: 'STRUCT', name: 's', size, members })
      : builder.add({ kind: 'UNION', name: 's', size, members });
  return drawLayout(layoutOf(builder.toSpec(), id), { width, colors: makeColors(false) }).split('\n');
}

test('holes and padding are drawn and counted', () => {
  expect(draw(24, [member('c', char, 0), member('l', long, 8), member('d', char, 16)])).toEqual([
    'struct s  24 bytes, 1 cache line, 3 members, 1 hole of 7 bytes, 7 bytes of padding',
    '',
    '       0 ▏░░░░░░░▏l······▏▒▒▒▒▒▒▒',
    '       0       1  char c',
    '       1          ░ hole of 7 bytes',
    '       8       8  long l',
    '      16       1  char d',
    '      17          ▒ padding of 7 bytes',
    '',
  ]);
});

test('the bytes of several holes are added up', () => {
  const [title] = draw(24, [
    member('c', char, 0),
    member('l', long, 8),
    member('d', char, 16),
    member('n', int, 20),
  ]);
  expect(title).toBe('struct s  24 bytes, 1 cache line, 4 members, 2 holes of 10 bytes in all');
});

test('bitfields of one byte share a cell', () => {
  const lines = draw(8, [member('a', int, 0, 0, 3), member('b', int, 0, 3, 5), member('n', int, 4)]);
  expect(lines[2]).toBe('       0 ▏░░░▏n··');
  expect(lines.slice(3, 5)).toEqual(['     0:0  3 bits  int a', '     0:3  5 bits  int b']);
});

test('cache lines within one member are one line', () => {
  const lines = draw(216, [member('n', long, 0), member('buffer', buffer, 8), member('last', long, 208)]);
  expect(lines.filter((line) => /^ +\d+ [▏ ⋮]/.test(line) && !/^ +\d+ +\d/.test(line))).toEqual([
    `       0 ▏n······▏buffer${'·'.repeat(49)}`,
    '      64 ⋮ 2 cache lines of buffer',
    `     192  buffer${'·'.repeat(9)}▏last···`,
  ]);
});

test('the columns of a struct of more than a million bytes are aligned', () => {
  const large = builder.add({ kind: 'ARRAY', typeId: char, indexTypeId: int, nelems: 1_234_560 });
  const members = [member('a', large, 0), member('l', long, 1_234_560), member('b', int, 1_234_568, 3, 2)];
  expect(draw(1_234_576, members, 60).slice(2)).toEqual([
    `          0 ▏a${'·'.repeat(30)}`,
    `         32  a${'·'.repeat(30)}`,
    '          0 1,234,560  char a[1234560]',
    '',
    '         64 ⋮ 19,289 cache lines of a',
    `  1,234,560 ▏l······▏${'▒'.repeat(7)}`,
    '  1,234,560         8  long l',
    '  1,234,568            ░ hole of 3 bits',
    '1,234,568:3    2 bits  int b',
    '  1,234,568            ▒ padding of 27 bits and 4 bytes',
    '',
  ]);
});

test('a narrow terminal gets a cache line in parts', () => {
  const lines = draw(64, [member('n', long, 0), member('m', long, 56)], 50);
  expect(lines.slice(2, 4)).toEqual([
    `       0 ▏n······${'░'.repeat(24)}`,
    `      32 ${'░'.repeat(24)}▏m······`,
  ]);
  expect(Math.max(...lines.slice(2).map((line) => line.length))).toBeLessThanOrEqual(50);
});

test('the members of a union share their bytes', () => {
  const lines = draw(8, [member('l', long, 0), member('c', char, 0)], null, 'UNION');
  expect(lines).toEqual([
    'union s  8 bytes, 1 cache line, 2 members',
    '',
    '       0 ▏s······',
    '       0       8  long l',
    '       0       1  char c',
    '',
  ]);
});

test('a struct without members has a title and no bytes', () => {
  expect(draw(0, [])[0]).toBe('struct s  0 bytes, 0 cache lines, 0 members');
});

test('a struct can have as many cache lines as members', () => {
  const line = builder.add({ kind: 'ARRAY', typeId: char, indexTypeId: int, nelems: 64 });
  const members = Array.from({ length: 60_000 }, (_, index) => member(`m${index}`, line, index * 64));
  const before = process.cpuUsage();
  const lines = draw(members.length * 64, members);
  expect(lines).toHaveLength(1 + members.length * 3 + 1);
  expect(lines.at(-2)).toBe('3,839,936      64  char m59999[64]');
  // At least twice as much, if each cache line were compared with all members.
  expect(process.cpuUsage(before).user).toBeLessThan(8_000_000);
});
