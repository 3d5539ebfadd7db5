import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { type Random, seeded } from 'test-tools/random';
import { isComposite } from '../kind-words.js';
import { Spec } from '../spec.js';
import { structSize } from './struct-size.js';

/** The number of random structs of one test. Each is compiled with its members in every order. */
const STRUCTS = 120;

const TYPES = ['char', 'short', 'int', 'long', 'void *', '__int128', 'char', 'short', 'int'];
const UNITS = ['char', 'short', 'int', 'long'];

/** Structs with their size, and that in the best order. pahole 1.32 does not end with all structs of a kernel. */
const NAMED: readonly (readonly [text: string, size: number, packedSize: number])[] = [
  ['struct chars { char a; long b; char c; }', 24, 16],
  ['struct pointers { int a; void *b; int c; }', 24, 16],
  ['struct nested { char a; struct pointers b; char c[3]; void *d; }', 48, 40],
  ['struct arrays { short a[3]; long b[2]; short c; }', 32, 24],
  ['struct line { long a; char b; } __attribute__((aligned(64)))', 64, 64],
  ['struct wide { char a; __int128 b; char c; long d; }', 48, 32],
  ['struct tight { long a; int b; short c; char d; }', 16, 16],
  ['struct packed { char a; long b; short c; } __attribute__((packed))', 11, 11],
  ['struct holder { char a; struct packed b; int c; short d; }', 20, 20],
  ['struct two { char a; short b; char c; }', 6, 4],
  ['struct many { char a; int b; char c; long d; short e; int f; char g; void *h; }', 48, 32],
  ['struct any_holder { int a; union { long a; char b[12]; } b; int c; }', 32, 24],
  ['struct inner { char a; struct { char b; long c; char d; }; }', 32, 32],
  ['struct unnamed { long : 64; long : 64; }', 16, 16],
];

/** Structs that pahole judges in another way, with its size; null if it does not report them. */
const OTHERS: readonly (readonly [
  text: string,
  size: number,
  packedSize: number,
  ofPahole: number | null,
])[] = [
  // The alignment of the member is kept, so one line holds all members.
  ['struct aligned { char a; long b __attribute__((aligned(64))); char c; }', 128, 64, 72],
  ['struct bits { char a; long b; int c : 3; int d : 5; }', 24, 16, null],
  ['struct flags { unsigned a : 1; long b; unsigned c : 1; }', 24, 16, null],
  ['struct flexible { char a; long b; char c; int d[]; }', 24, 16, null],
];

needs('gcc', 'pahole').describe('the size in the best order', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'btf-sizes-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('of each struct is that of pahole --packable, or differs for a reason', () => {
    const { spec, path } = compiled([...NAMED, ...OTHERS].map(([text]) => text));
    const sizes = [...NAMED, ...OTHERS].map(([text, size, packed]) => [nameOf(text), size, packed]);
    expect(sizes.map(([name]) => [name, ...sizesOf(spec, String(name))])).toEqual(sizes);
    const theirs = execFileSync('pahole', ['-F', 'btf', '--packable', path], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    const ours = [
      ...NAMED.filter(([, size, packed]) => packed < size),
      ...OTHERS.flatMap(([text, size, , ofPahole]) =>
        ofPahole === null ? [] : [[text, size, ofPahole] as const],
      ),
    ];
    expect(theirs.trimEnd().split('\n').toSorted()).toEqual(
      ours.map(([text, size, packed]) => [nameOf(text), size, packed, size - packed].join('\t')).toSorted(),
    );
  });

  test('is the least that the compiler reaches with any order of the members', () => {
    expect(differences(() => [])).toEqual([]);
  });

  test('is the least with bitfields together, or more if another start of the bitfields would save a unit', () => {
    const found = differences((random, count) => [random(count)]);
    expect(found.filter(({ ours, least }) => ours < least)).toEqual([]);
    expect(found.length).toBeLessThan(STRUCTS / 20);
  });

  test('is the least where the places of members show the alignments of attributes', () => {
    const found = differences(() => [], true);
    // An attribute leaves no trace if the place is the same without it.
    expect(found.length).toBeLessThan(STRUCTS / 8);
  });

  interface Difference {
    readonly text: string;
    readonly ours: number;
    readonly least: number;
  }

  /** Compiles random structs with their members in every order, and returns those whose size in the best order differs. */
  function differences(
    bitfieldsAt: (random: Random, count: number) => readonly number[],
    withAttributes = false,
  ): Difference[] {
    const structs = Array.from({ length: STRUCTS }, (_, index) => {
      const random = seeded(2 * index + 1);
      return randomStruct(random, index, bitfieldsAt, withAttributes);
    });
    const { spec } = compiled(structs.flat());
    const found = structs.map((orders, index) => {
      const name = `s${index}`;
      const sizes = orders.map((_, order) => sizesOf(spec, order === 0 ? name : `${name}_${order}`)[0]);
      return { text: orders[0] ?? '', ours: sizesOf(spec, name)[1], least: Math.min(...sizes) };
    });
    const smaller = found.filter(({ least }, index) => least < sizesOf(spec, `s${index}`)[0]);
    expect(smaller.length).toBeGreaterThan(STRUCTS / 8);
    return found.filter(({ ours, least }) => ours !== least);
  }

  function sizesOf(spec: Spec, name: string): [size: number, packedSize: number] {
    const id = spec.idsByName(name).find((one) => isComposite(spec.kindOf(one))) ?? 0;
    const { size, packedSize } = structSize(spec, id);
    return [size, packedSize];
  }

  function compiled(definitions: readonly string[]): { spec: Spec; path: string } {
    const [source, object, path] = ['types.c', 'types.o', 'types.btf'].map((name) => join(folder, name));
    if (source === undefined || object === undefined || path === undefined) throw new Error('no paths');
    writeFileSync(source, definitions.map((text) => `${text};\n`).join(''));
    const options = ['-g', '-c', '-w', '-fno-eliminate-unused-debug-types', '-o', object];
    execFileSync('gcc', [...options, source], { stdio: 'pipe' });
    execFileSync('pahole', [`--btf_encode_detached=${path}`, object], { stdio: 'pipe' });
    return { spec: Spec.parse(new Uint8Array(readFileSync(path))), path };
  }
});

function nameOf(text: string): string {
  return text.split(' ')[1] ?? '';
}

/** Returns the texts of a struct with its members in each order; the first is `s` and the index, others have a suffix. */
function randomStruct(
  random: Random,
  index: number,
  bitfieldsAt: (random: Random, count: number) => readonly number[],
  withAttributes: boolean,
): string[] {
  const count = 2 + random(4);
  const places = bitfieldsAt(random, count);
  const aligned = (): string => `__attribute__((aligned(${2 ** (1 + random(6))})))`;
  const units = Array.from({ length: count }, (_, i) => {
    const type = TYPES[random(TYPES.length)] ?? 'int';
    const chance = random(10);
    if (places.includes(i)) return randomBitfields(random, i);
    if (chance < 2) return `${type} m${i}[${1 + random(5)}];`;
    if (chance < 4 && index > 0) return `struct s${random(index)} m${i};`;
    return withAttributes && chance < 6 ? `${type} m${i} ${aligned()};` : `${type} m${i};`;
  });
  const packed = random(6) === 0 ? ' __attribute__((packed))' : '';
  const attributes = withAttributes && random(5) === 0 ? `${packed} ${aligned()}` : packed;
  return ordersOf(units).map(
    (members, order) =>
      `struct s${index}${order === 0 ? '' : `_${order}`} { ${members.join(' ')} }${attributes}`,
  );
}

/** Some bitfields of one type, which stay together. */
function randomBitfields(random: Random, index: number): string {
  const unit = random(UNITS.length);
  const width = (): number => 1 + random(8 * 2 ** unit);
  return Array.from(
    { length: 1 + random(3) },
    (_, i) => `unsigned ${UNITS[unit]} m${index}_${i} : ${width()};`,
  ).join(' ');
}

function ordersOf<T>(list: readonly T[]): (readonly T[])[] {
  if (list.length < 2) return [list];
  return list.flatMap((one, i) => ordersOf(list.toSpliced(i, 1)).map((rest) => rest.toSpliced(0, 0, one)));
}
