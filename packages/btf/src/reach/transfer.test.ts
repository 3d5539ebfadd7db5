import { describe, expect, test } from '@jest/globals';
import type { Label } from '../testing/assemble-program.js';
import { reachCase, type ReachCase, reachUnless } from '../testing/reach-case.js';
import { verifierTraits } from './program.js';

const JEQ = 0x15;
const JNE = 0x55;

describe('The value of a register is known after', () => {
  const load = (value: bigint) => (p: ReachCase) => void p.asm.load64(1, value);
  const alu =
    (opcode: number, left: number, right: number) =>
    (p: ReachCase): void => {
      p.mov(1, left);
      p.asm.add(opcode, 1, 0, 0, right);
    };
  test.each<[string, number, (p: ReachCase) => void]>([
    ['mov', -5, (p) => p.mov(1, -5)],
    ['ld_imm64', -2, load(-2n)],
    ['mov of a register', 7, (p) => (p.mov(2, 7), p.asm.add(0xbf, 1, 2))],
    ['add', 3, alu(0x07, 1, 2)],
    ['sub', -1, alu(0x17, 1, 2)],
    ['mul', -6, alu(0x27, 2, -3)],
    ['or', 7, alu(0x47, 5, 2)],
    ['and', 4, alu(0x57, 5, 6)],
    ['xor', 3, alu(0xa7, 5, 6)],
    ['lsh', 40, alu(0x67, 5, 3)],
    ['rsh of 64 bits', 1, alu(0x77, -1, 63)],
    ['arsh', -1, alu(0xc7, -8, 3)],
    ['arsh of 32 bits, shifted down', 0x7fffffff, (p) => (alu(0xc4, -8, 3)(p), p.asm.add(0x77, 1, 0, 0, 1))],
  ])('%s', (_, expected, make) => {
    expect(reachUnless(expected, make)).toBe('NEVER');
    expect(reachUnless(expected + 1, make)).toBe('ALWAYS');
  });

  test('an operation of 32 bits, which clears the high half', () => {
    const make = alu(0x04, -1, 0);
    expect(reachUnless(-1, make)).toBe('ALWAYS');
    const shifted = (p: ReachCase): void => (make(p), void p.asm.add(0x77, 1, 0, 0, 32));
    expect(reachUnless(0, shifted)).toBe('NEVER');
  });

  test('an absent weak symbol is loaded', () => {
    expect(reachUnless(0, (p) => p.refer(1, { to: 'absent' }))).toBe('NEVER');
    expect(reachUnless(0, (p) => p.refer(1, { to: 'other' }))).toBe('MAYBE');
  });

  test('a kernel function is loaded, whose address is not 0', () => {
    const reachOf = (opcode: number, immediate: number): string | undefined =>
      reachCase((p) => {
        p.refer(1, { to: 'kfunc' });
        p.unless(opcode, 1, immediate, 'p');
        p.exit();
      }).reach['p'];
    expect([reachOf(JNE, 0), reachOf(JEQ, 0)]).toEqual(['NEVER', 'ALWAYS']);
    expect([reachOf(JNE, 1), reachOf(JEQ, 1), reachOf(0x56, 0)]).toEqual(['MAYBE', 'MAYBE', 'MAYBE']);
  });
});

describe('The value of a register is unknown after', () => {
  test.each<[string, (p: ReachCase) => void]>([
    ['nothing', () => {}],
    ['div', (p) => (p.mov(1, 6), p.asm.add(0x37, 1, 0, 0, 6))],
    ['mod', (p) => (p.mov(1, 6), p.asm.add(0x97, 1, 0, 0, 5))],
    ['neg', (p) => (p.mov(1, -1), p.asm.add(0x87, 1))],
    ['a byte swap', (p) => (p.mov(1, 1), p.asm.add(0xd4, 1, 0, 0, 64))],
    ['a move with sign extension', (p) => (p.mov(2, 1), p.asm.add(0xbf, 1, 2, 8))],
    ['a shift by 64', (p) => (p.mov(1, 1), p.mov(2, 64), p.asm.add(0x6f, 1, 2))],
    ['a shift of 32 bits by 32', (p) => (p.mov(1, 1), p.mov(2, 32), p.asm.add(0x6c, 1, 2))],
    ['a move of the frame pointer', (p) => p.asm.add(0xbf, 1, 10)],
    ['a call', (p) => (p.mov(1, 1), p.asm.add(0x85, 0, 0, 0, 7))],
    ['a load', (p) => (p.mov(2, 1), p.mov(1, 1), p.asm.add(0x61, 1, 2))],
    ['a fetching atomic', (p) => (p.mov(1, 1), p.asm.add(0xdb, 10, 1, -8, 0x01))],
    [
      'an instruction with an ELF relocation',
      (p) => p.references.set((p.mov(1, 1), p.asm.count - 1), { to: 'other' }),
    ],
  ])('%s', (_, make) => {
    expect(reachUnless(1, make)).toBe('MAYBE');
  });

  test('xor before Linux 5.10', () => {
    const make = (p: ReachCase): void => (p.mov(1, 3), void p.asm.add(0xa7, 1, 0, 0, 2));
    expect(reachUnless(1, make)).toBe('NEVER');
    expect(reachUnless(1, make, verifierTraits((5 << 16) | (9 << 8)))).toBe('MAYBE');
  });

  test('a comparison with an unknown value, which may narrow it wrongly', () => {
    const make = (p: ReachCase): void => {
      p.mov(1, 1);
      p.asm.add(0x2d, 1, 2, 0);
    };
    expect(reachUnless(1, make)).toBe('MAYBE');
  });

  test('a comparison for equality: a pointer stays one', () => {
    const make = (p: ReachCase): void => {
      const equal: Label = Symbol('equal');
      p.asm.jump(JEQ, 1, { immediate: 5 }, equal);
      p.exit();
      p.asm.here(equal);
    };
    expect(reachUnless(5, make)).toBe('MAYBE');
  });
});

describe('The stack keeps', () => {
  /** Stores 1 whole, does something, and loads it. */
  const after =
    (between: (p: ReachCase) => void) =>
    (p: ReachCase): void => {
      p.mov(3, 1);
      p.asm.add(0x7b, 10, 3, -16);
      between(p);
      p.asm.add(0x79, 1, 10, -16);
    };
  test.each<[string, string, (p: ReachCase) => void]>([
    ['a register that is stored whole', 'NEVER', () => {}],
    ['it beside other stores', 'NEVER', (p) => (p.asm.add(0x62, 10, 0, -8), p.asm.add(0x7b, 10, 4, -24))],
    ['nothing after a store of a part', 'MAYBE', (p) => p.asm.add(0x72, 10, 0, -9, 0)],
    ['no immediate', 'MAYBE', (p) => p.asm.add(0x7a, 10, 0, -16, 1)],
    ['nothing after an unaligned store', 'MAYBE', (p) => p.asm.add(0x7b, 10, 4, -12)],
    ['nothing after a store through another register', 'MAYBE', (p) => p.asm.add(0x63, 2, 3)],
    ['nothing after an atomic operation', 'MAYBE', (p) => p.asm.add(0xdb, 2, 4, 0, 0)],
    ['nothing after a call', 'MAYBE', (p) => p.asm.add(0x85, 0, 0, 0, 7)],
    ['nothing after a store out of bounds', 'MAYBE', (p) => p.asm.add(0x7b, 10, 3, 8)],
  ])('%s', (_, reach, between) => {
    expect(reachUnless(1, after(between))).toBe(reach);
  });

  test('nothing for loads of a part', () => {
    const make = (p: ReachCase): void => {
      p.mov(3, 1);
      p.asm.add(0x7b, 10, 3, -16);
      p.asm.add(0x79, 1, 10, -16);
      p.asm.add(0x61, 1, 10, -16);
    };
    expect(reachUnless(1, make)).toBe('MAYBE');
  });
});

test.each([
  [0x15, 1, 1, true],
  [0x55, 1, 1, false],
  [0x25, -1, 1, true],
  [0x35, 1, 1, true],
  [0x45, 6, 1, false],
  [0x45, 6, 2, true],
  [0x65, -1, 1, false],
  [0x75, -1, -1, true],
  [0xa5, -1, 1, false],
  [0xb5, 1, 1, true],
  [0xc5, -1, 1, true],
  [0xd5, 2, 1, false],
  // 32 bits
  [0x66, 0x7fffffff, -1, true],
  [0xa6, -1, 1, false],
])('a comparison of constants goes one way: %i %i %i', (opcode, left, right, holds) => {
  const { reach } = reachCase((p) => {
    const [other, after] = [Symbol('other'), Symbol('after')];
    p.mov(1, left);
    p.mov(2, right);
    p.asm.jump(opcode, 1, { immediate: right }, other);
    p.asm.jump(0x05, 0, {}, after);
    p.asm.here(other);
    p.asm.jump(opcode | 8, 1, { src: 2 }, after);
    p.poison('differs by operand');
    p.asm.here(after);
    p.unless(opcode, 1, right, 'p');
    p.exit();
  });
  expect(reach).toEqual({ 'differs by operand': 'NEVER', p: holds ? 'NEVER' : 'ALWAYS' });
});
