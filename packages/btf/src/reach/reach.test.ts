import { describe, expect, test } from '@jest/globals';
import type { Label } from '../testing/assemble-program.js';
import { reachCase, type ReachCase } from '../testing/reach-case.js';
import { type ReadOnlyVariable, verifierTraits } from './program.js';

const JEQ = 0x15;
const JNE = 0x55;

/** Whether a poisoned instruction is reached that is jumped over if r1 has a number after some instructions. */
function reachUnless(
  expected: number,
  make: (program: ReachCase) => void,
  verifier = {},
): string | undefined {
  const { reach } = reachCase(
    (program) => {
      make(program);
      program.unless(JEQ, 1, expected, 'p');
      program.exit();
    },
    { verifier },
  );
  return reach['p'];
}

function variable(offset: number, bytes: readonly number[], isCertain = false): ReadOnlyVariable {
  return { section: 3, offset, bytes: Uint8Array.from(bytes), isCertain };
}

/** Loads a variable of 4 bytes into a register. */
function loadVariable(program: ReachCase, register: number, offset: number): void {
  program.refer(register, { to: 'data', section: 3, offset });
  program.asm.add(0x61, register, register, 0);
}

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

describe('Where paths meet', () => {
  const meeting = (left: number, right: number) => (p: ReachCase) => {
    const [other, end] = [Symbol('other'), Symbol('end')];
    p.asm.jump(JEQ, 2, { immediate: 0 }, other);
    p.mov(1, left);
    p.asm.jump(0x05, 0, {}, end);
    p.asm.here(other);
    p.mov(1, right);
    p.asm.here(end);
  };

  test('equal values stay, and others become unknown', () => {
    expect(reachUnless(1, meeting(1, 1))).toBe('NEVER');
    expect(reachUnless(1, meeting(1, 2))).toBe('MAYBE');
    expect(reachUnless(1, meeting(2, 1))).toBe('MAYBE');
  });

  test('a loop changes what its start knows', () => {
    const { reach } = reachCase((p) => {
      const start: Label = Symbol('start');
      p.mov(6, 0);
      p.mov(7, 0);
      p.asm.here(start);
      p.unless(JEQ, 6, 0, 'changes');
      p.unless(JEQ, 7, 0, 'stays');
      p.mov(6, 1);
      p.asm.jump(JEQ, 8, { immediate: 0 }, start);
      p.exit();
    });
    expect(reach).toEqual({ changes: 'MAYBE', stays: 'NEVER' });
  });

  test('gotol jumps, and may_goto goes both ways', () => {
    const { reach } = reachCase((p) => {
      const [after, end] = [Symbol('after'), Symbol('end')];
      p.asm.add(0x06, 0, 0, 0, after);
      p.poison('jumped over');
      p.asm.here(after);
      p.asm.add(0xe5, 0, 0, end);
      p.poison('maybe');
      p.asm.here(end);
      p.poison('then');
    });
    expect(reach).toEqual({ 'jumped over': 'NEVER', maybe: 'MAYBE', then: 'MAYBE' });
  });
});

describe('Functions', () => {
  /** A program that calls a function if a condition holds; the function is poisoned. */
  const calling =
    (condition: number | null, isGlobal: boolean, point = false) =>
    (p: ReachCase): void => {
      const [callee, after] = [Symbol('callee'), Symbol('after')];
      p.mov(1, 1);
      if (condition !== null) p.asm.jump(JEQ, 1, { immediate: condition }, after);
      if (point) (p.asm.add(0x18, 2, 4, 0, callee), p.asm.add(0));
      else p.asm.call(callee);
      p.asm.here(after);
      p.exit();
      p.begin('callee', isGlobal, callee);
      p.poison('p');
      p.exit();
    };

  test.each([
    ['a static function that is called', null, false, false, 'ALWAYS'],
    ['a static function that only dead code calls', 1, false, false, 'NEVER'],
    ['a function that is pointed to', null, false, true, 'MAYBE'],
    ['a function that only dead code points to', 1, false, true, 'NEVER'],
    ['a global function that is called', null, true, false, 'ALWAYS'],
    ['a global function that only dead code calls', 1, true, false, 'NEVER'],
  ])('%s', (_, condition, isGlobal, point, reach) => {
    expect(reachCase(calling(condition, isGlobal, point)).reach).toEqual({ p: reach });
  });

  test('that are global are always checked before Linux 6.8, and if the version is unknown', () => {
    for (const version of [(6 << 16) | (7 << 8) | 255, null])
      expect(reachCase(calling(1, true), { verifier: verifierTraits(version) }).reach).toEqual({
        p: 'ALWAYS',
      });
    const verifier = verifierTraits((6 << 16) | (8 << 8));
    expect(reachCase(calling(1, true), { verifier }).reach).toEqual({ p: 'NEVER' });
  });

  test('know nothing of their arguments and registers, and leave r6 to r9 as they are', () => {
    const { reach } = reachCase((p) => {
      const callee: Label = Symbol('callee');
      for (const register of [0, 1, 6]) p.mov(register, 1);
      p.references.set(p.asm.add(0x85, 0, 1), { to: 'function', start: 12 });
      p.unless(JEQ, 6, 1, 'kept');
      p.unless(JEQ, 0, 1, 'result');
      p.unless(JEQ, 1, 1, 'argument after');
      p.exit();
      p.begin('callee', false, callee);
      expect(p.asm.count).toBe(12);
      p.unless(JEQ, 1, 1, 'argument');
      p.unless(JEQ, 6, 1, 'register');
      p.exit();
    });
    expect(reach).toEqual({
      kept: 'NEVER',
      result: 'MAYBE',
      'argument after': 'MAYBE',
      argument: 'MAYBE',
      register: 'MAYBE',
    });
  });

  test('that throw do not return', () => {
    const { reach } = reachCase((p) => {
      p.references.set(p.asm.add(0x85, 0, 2), { to: 'throw' });
      p.poison('p');
      p.exit();
    });
    expect(reach).toEqual({ p: 'NEVER' });
  });

  test('return to what is always reached', () => {
    const { reach } = reachCase((p) => {
      const callee: Label = Symbol('callee');
      p.asm.call(callee);
      p.poison('after');
      p.exit();
      p.begin('callee', false, callee);
      p.exit();
    });
    expect(reach).toEqual({ after: 'ALWAYS' });
  });

  test('that call themselves end', () => {
    const { reach } = reachCase((p) => {
      const callee: Label = Symbol('callee');
      p.asm.call(callee);
      p.poison('after');
      p.exit();
      p.begin('callee', false, callee);
      p.asm.call(callee);
      p.exit();
    });
    expect(reach).toEqual({ after: 'MAYBE' });
  });
});

test('nothing is reached after a poisoned instruction', () => {
  const { reach } = reachCase((p) => {
    p.poison('first');
    p.poison('second');
  });
  expect(reach).toEqual({ first: 'ALWAYS', second: 'NEVER' });
});

test.each(['little', 'big'] as const)('other instructions can be asked for (%s-endian)', (order) => {
  const { result } = reachCase(
    (p) => {
      p.mov(1, 1);
      p.unless(JEQ, 1, 1, 'p');
      loadVariable(p, 1, 0);
      p.unless(JEQ, 1, 0x04030201, 'little');
      p.exit();
    },
    { order, variables: [variable(0, [1, 2, 3, 4])] },
  );
  const found = [...result.instructions.values()].map(({ reach }) => reach);
  expect(found).toEqual(['NEVER', order === 'little' ? 'NEVER_AS_INITIALIZED' : 'MAYBE']);
});

describe('Read-only variables', () => {
  test('const volatile int use_gone = 0 guards as it is initialized, and not if it is set', () => {
    const guarded = (value: number): ReturnType<typeof reachCase> =>
      reachCase(
        (p) => {
          loadVariable(p, 1, 8);
          p.unless(JEQ, 1, 0, 'gone');
          p.exit();
        },
        { variables: [variable(0, [1, 0, 0, 0]), variable(8, [value, 0, 0, 0])] },
      );
    const { result } = guarded(0);
    expect([...result.instructions.values()]).toEqual([{ reach: 'NEVER_AS_INITIALIZED', variables: [1] }]);
    expect(guarded(1).reach).toEqual({ gone: 'MAYBE' });
  });

  test('that user space cannot set are facts', () => {
    const { reach } = reachCase(
      (p) => {
        loadVariable(p, 1, 0);
        p.unless(0x35, 1, 0x50a00, 'old kernels');
        p.unless(0xa5, 1, 0x50a00, 'new kernels');
        p.exit();
      },
      { variables: [variable(0, [0, 0x0c, 6, 0], true)] },
    );
    expect(reach).toEqual({ 'old kernels': 'NEVER', 'new kernels': 'ALWAYS' });
  });

  test('are not known before Linux 5.5', () => {
    const { reach } = reachCase(
      (p) => {
        loadVariable(p, 1, 0);
        p.unless(JEQ, 1, 0, 'p');
        p.exit();
      },
      { variables: [variable(0, [0, 0, 0, 0], true)], verifier: { readsData: false } },
    );
    expect(reach).toEqual({ p: 'MAYBE' });
  });

  test('are read at a moved address, within their bounds, without sign', () => {
    const { reach } = reachCase(
      (p) => {
        p.refer(2, { to: 'data', section: 3, offset: 4 });
        p.asm.add(0x07, 2, 0, 0, 8);
        p.asm.add(0x71, 1, 2, -4);
        p.unless(JEQ, 1, 200, 'moved');
        p.asm.add(0x79, 1, 2, -4);
        p.unless(JEQ, 1, 200, 'too long');
        p.asm.add(0x71, 1, 2, 100);
        p.unless(JEQ, 1, 0, 'outside');
        p.asm.add(0x91, 1, 2, -4);
        p.unless(JEQ, 1, 200, 'signed');
        p.exit();
      },
      { variables: [variable(8, [200, 0, 0, 0]), variable(12, [1, 2, 3, 4])] },
    );
    expect(reach).toEqual({
      moved: 'NEVER_AS_INITIALIZED',
      'too long': 'MAYBE',
      outside: 'MAYBE',
      signed: 'MAYBE',
    });
  });

  /** Poison that is reached if two variables have other values than 0, or if one of them has. */
  const two = (needsBoth: boolean) => (p: ReachCase) => {
    const [end, poison] = [Symbol('end'), Symbol('poison')];
    loadVariable(p, 1, 0);
    loadVariable(p, 2, 4);
    loadVariable(p, 3, 8);
    p.asm.jump(needsBoth ? JEQ : JNE, 1, { immediate: 0 }, needsBoth ? end : poison);
    p.asm.jump(JEQ, 2, { immediate: 0 }, end);
    p.asm.here(poison);
    p.poison('p');
    p.asm.here(end);
    p.exit();
  };
  const variables = [0, 4, 8].map((offset) => variable(offset, [0, 0, 0, 0]));

  test('of a proof are those that it needs', () => {
    const { result } = reachCase(two(false), { variables });
    expect([...result.instructions.values()]).toEqual([{ reach: 'NEVER_AS_INITIALIZED', variables: [0, 1] }]);
  });

  test('of a proof are all that were read if one of several suffices', () => {
    const { result } = reachCase(two(true), { variables });
    expect([...result.instructions.values()]).toEqual([
      { reach: 'NEVER_AS_INITIALIZED', variables: [0, 1, 2] },
    ]);
  });
});
