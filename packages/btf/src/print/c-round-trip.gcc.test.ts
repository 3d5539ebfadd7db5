import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Spec } from '../spec.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { compile } from '../testing/c-compiler.js';
import { roundTrip } from '../testing/c-round-trip.js';
import { randomCTypes } from '../testing/random-c-types.js';
import { Kind } from '../types.js';
import { printC } from './print-c.js';

const SOURCE = fileURLToPath(new URL('testdata/hard-layouts.c', import.meta.url));

/**
 * Made by `bpftool gen min_core_btf /sys/kernel/btf/vmlinux siginfo-min.btf PROGRAM.o`, where the program reads
 * `siginfo->_sifields._kill._pid`. It has few members of each type.
 */
const MINIMAL = fileURLToPath(new URL('testdata/siginfo-min.btf', import.meta.url));

const INT = { sizeOrTypeId: 4, data: [(1 << 24) | 32] };

/** Unions that are larger than their members, in structs that rely on their size and alignment. */
function unions(): BtfAssembler {
  const btf = new BtfAssembler('little')
    .type(Kind.INT, 'int', INT)
    .type(Kind.INT, 'long', { sizeOrTypeId: 8, data: [(1 << 24) | 64] })
    .type(Kind.INT, 'char', { sizeOrTypeId: 1, data: [(1 << 24) | 8] });
  let id = 3;
  const add = (kind: number, name: string, size: number, members: readonly (string | number)[]): number => {
    btf.type(kind, name, { vlen: members.length / 3, sizeOrTypeId: size, data: members });
    id += 1;
    return id;
  };
  const union = (name: string, size: number, ...members: (string | number)[]): number =>
    add(Kind.UNION, name, size, members);
  const struct = (name: string, size: number, ...members: (string | number)[]): number =>
    add(Kind.STRUCT, name, size, members);
  struct('s1', 24, 'h', 1, 0, 'y', union('u16b', 16, 'a', 1, 0), 64);
  struct('s2', 32, 'h', 1, 0, 'y', union('u24b', 24, 'a', 1, 0), 64);
  struct('s3', 24, 'h', 2, 0, 'y', union('uempty', 8), 64, 'z', 2, 128);
  struct('s4', 24, 'h', 2, 0, '', union('', 16, 'q', 1, 0), 64);
  struct('s5', 20, 'h', 1, 0, 'y', union('u12b', 12, 'a', 3, 0), 32, 'z', 1, 128);
  struct('s7', 24, 'h', 2, 0, '', union('', 8), 64, 'z', 2, 128);
  struct('s8', 9, 'h', 3, 0, 'y', union('u8b', 8, 'a', 1, 0), 8);
  return btf;
}

/** Enums of which only the size is known, by value: as GCC 12 describes those of 64 bits. */
const ENUMS = new BtfAssembler('little')
  .type(Kind.INT, 'int', INT)
  .type(Kind.ENUM, 'big', { sizeOrTypeId: 8 })
  .type(Kind.ENUM, 'small', { sizeOrTypeId: 4 })
  .type(Kind.TYPEDEF, 'big_t', { sizeOrTypeId: 2 })
  .type(Kind.STRUCT, 's', {
    vlen: 4,
    sizeOrTypeId: 32,
    data: ['b', 2, 0, 'c', 1, 64, 'd', 3, 96, 't', 4, 128],
  });

/** Bitfields before Linux 4.20: an INT has the width, and the second one also an offset. */
const OLD_BITFIELDS = new BtfAssembler('little')
  .type(Kind.INT, 'unsigned int', { sizeOrTypeId: 4, data: [3] })
  .type(Kind.INT, 'unsigned int', { sizeOrTypeId: 4, data: [(3 << 16) | 7] })
  .type(Kind.INT, 'int', INT)
  .type(Kind.STRUCT, 's', { vlen: 3, sizeOrTypeId: 8, data: ['a', 1, 0, 'b', 2, 0, 'c', 3, 32] });

/** Names that C does not accept, as in BTF of Rust. `u32` is a typedef of another size, too. */
const NAMES = new BtfAssembler('little')
  .type(Kind.INT, 'u32', { sizeOrTypeId: 4, data: [32] })
  .type(Kind.INT, '&str', { sizeOrTypeId: 16, data: [128] })
  .type(Kind.TYPEDEF, 'u32', { sizeOrTypeId: 2 })
  .type(Kind.STRUCT, 'core::fmt::Arguments<T>', {
    vlen: 4,
    sizeOrTypeId: 48,
    data: ['while', 1, 0, '0', 1, 32, 'a-b', 3, 128, 'c d', 2, 256],
  })
  .type(Kind.ENUM, 'e', { vlen: 2, sizeOrTypeId: 4, data: ['Some(T)', 1, 'None<T>', 2] });

/** Numbers that compilers do not have for all targets: `long double` has 16 bytes for x86-64 and 8 for BPF. */
const FLOATS = new BtfAssembler('little')
  .type(Kind.FLOAT, 'long double', { sizeOrTypeId: 16 })
  .type(Kind.FLOAT, '_Float16', { sizeOrTypeId: 2 })
  .type(Kind.FLOAT, 'double', { sizeOrTypeId: 8 })
  .type(Kind.INT, 'char', { sizeOrTypeId: 1, data: [(1 << 24) | 8] })
  .type(Kind.STRUCT, 'numbers', {
    vlen: 4,
    sizeOrTypeId: 48,
    data: ['c', 4, 0, 'l', 1, 128, 'h', 2, 256, 'd', 3, 320],
  });

needs('gcc', 'clang').test.each([
  ['gcc', []],
  ['clang', []],
  ['clang', ['-target', 'bpf']],
])('floating-point numbers have the size of the BTF, with %s %j', (compiler, flags) => {
  const text = printC(Spec.parse(FLOATS.bytes()), { assertions: true });
  expect(text).toContain('_Static_assert(__builtin_offsetof(struct numbers, d) == 40, "offset");');
  expect(compile(compiler, text, flags)).toEqual([]);
});

needs('gcc', 'pahole').describe('the layout of printed C', () => {
  test.each([
    ['unions that are larger than their members', unions(), 12],
    ['enums of which only the size is known', ENUMS, 1],
    ['bitfields of old kernels', OLD_BITFIELDS, 1],
    ['names that are not identifiers', NAMES, 2],
  ])('is that of the BTF, with %s', (_, btf, count) => {
    expect(roundTrip(Spec.parse(btf.bytes()))).toEqual({ types: count, wrong: [], bytes: 0 });
  });

  test('is that of the BTF, with packed structs with a tail, members without a name, and negative enums', () => {
    const folder = mkdtempSync(join(tmpdir(), 'btf-hard-'));
    try {
      const [object, btf] = [join(folder, 'hard.o'), join(folder, 'btf')];
      execFileSync('gcc', ['-g', '-w', '-fms-extensions', '-c', SOURCE, '-o', object]);
      execFileSync('pahole', ['--btf_features=default', `--btf_encode_detached=${btf}`, object]);
      const spec = Spec.parse(new Uint8Array(readFileSync(btf)));
      expect(roundTrip(spec)).toEqual({ types: 15, wrong: [], bytes: 0 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('is that of the BTF, in the BTF of a kernel with few members of each type', () => {
    const spec = Spec.parse(new Uint8Array(readFileSync(MINIMAL)));
    expect(roundTrip(spec)).toEqual({ types: 5, wrong: [], bytes: 0 });
    const assertion = '_Static_assert(__builtin_offsetof(struct siginfo, _sifields) == 16, "_sifields");';
    expect(compile('gcc', `${printC(spec)}${assertion}`)).toEqual([]);
  });

  test('is that of random BTF, where members overlap as bytes', () => {
    const seeds = Array.from({ length: 12 }, (_, i) => 2 * i + 1);
    const results = seeds.map((seed) => roundTrip(Spec.parse(randomCTypes(seed, 300))));
    expect(results.flatMap(({ wrong }) => wrong)).toEqual([]);
    const [types, bytes] = [
      sum(results.map((result) => result.types)),
      sum(results.map((result) => result.bytes)),
    ];
    console.info(`${types} random types, ${bytes} as bytes`);
    expect(types).toBeGreaterThan(1500);
    expect(bytes).toBeLessThan(types / 5);
  });

  test('is asserted on request, so that a compiler with another one refuses the header', () => {
    const text = printC(Spec.parse(unions().bytes()), { assertions: true });
    expect(text).toContain('_Static_assert(__builtin_offsetof(struct s1, y) == 8, "offset");');
    expect(compile('gcc', text)).toEqual([]);
    const errors = compile('gcc', text, ['-m32']);
    expect(errors.join('\n')).toContain('size');
  });
});

test('members that overlap are bytes, with comments and their number', () => {
  const btf = new BtfAssembler('little')
    .type(Kind.INT, 'int', INT)
    .type(Kind.STRUCT, 's', { vlen: 2, sizeOrTypeId: 8, data: ['a', 1, 0, 'b', 1, 16] });
  expect(printC(Spec.parse(btf.bytes()), { preamble: false })).toBe(`\
struct s {
	/* C cannot place these members */
	unsigned char bytes[8];
};

/* Types that C cannot state, as bytes: 1 */

`);
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
