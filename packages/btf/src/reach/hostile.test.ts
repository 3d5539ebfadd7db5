import { describe, expect, test } from '@jest/globals';
import { seeded } from 'test-tools/random';
import type { Label } from '../testing/assemble-program.js';
import { reachCase, type ReachCase } from '../testing/reach-case.js';
import { verifierTraits } from './program.js';
import { REACH_STEPS, reachOf } from './reach.js';

const JA = 0x05;
const JEQ = 0x15;
/** The kernel's limit for the instructions of a program. */
const MAX_INSTRUCTIONS = 1_000_000;

/** The most steps that a run may take after the last one of the budget: those of one merge. */
const MERGE = 8;

function stepsOf(make: (program: ReachCase) => void): { steps: number; reach: Record<string, string> } {
  const budget = { left: REACH_STEPS };
  const { reach } = reachCase(make, { budget });
  return { steps: REACH_STEPS - budget.left, reach };
}

describe('The verifier refuses, and so does not go beyond,', () => {
  test.each<[string, (p: ReachCase) => void]>([
    ['a jump before the function', (p) => p.asm.add(JA, 0, 0, -100)],
    ['a jump behind the function', (p) => p.asm.add(JA, 0, 0, 100)],
    ['a jump into another function', (p) => p.asm.add(JA, 0, 0, 2)],
    ['a call of no function', (p) => p.asm.add(0x85, 0, 1, 0, 1)],
    ['a call outside', (p) => p.asm.add(0x85, 0, 1, 0, 1 << 30)],
    ['a pointer to no function', (p) => p.asm.load64(1, 1n << 20n, 4)],
    ['a branch outside', (p) => p.asm.add(JEQ, 0, 0, -30_000)],
  ])('%s', (_, make) => {
    const { reach } = reachCase((p) => {
      make(p);
      p.poison('p');
      p.exit();
      p.begin('other');
      p.exit();
    });
    expect(reach).toEqual({ p: 'NEVER' });
  });

  test('the end of a function', () => {
    const { reach } = reachCase((p) => {
      p.mov(1, 1);
      p.begin('other');
      p.poison('p');
    });
    expect(reach).toEqual({ p: 'NEVER' });
  });
});

test('half of a ld_imm64, no instructions, and bytes after the last instruction end in a result', () => {
  const program = {
    byteOrder: 'little' as const,
    functions: [{ start: 0, isGlobal: false }],
    references: new Map(),
    poisoned: new Set<number>(),
    asked: [0, 1, 77],
    variables: [],
    verifier: verifierTraits(null),
  };
  const reach = (code: readonly number[]): string[] =>
    [...reachOf({ ...program, code: Uint8Array.from(code) }).instructions.values()].map((of) => of.reach);
  expect(reach([0x18, 1, 0, 0, 0, 0, 0, 0])).toEqual(['ALWAYS', 'NEVER', 'NEVER']);
  expect(reach([])).toEqual(['NEVER', 'NEVER', 'NEVER']);
  expect(reach([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95])).toEqual(['ALWAYS', 'NEVER', 'NEVER']);
});

test('an unknown jump may go anywhere in its function, and an unknown instruction may change anything', () => {
  const { reach } = reachCase((p) => {
    const end: Label = Symbol('end');
    p.mov(6, 1);
    p.asm.add(0xf5, 0, 0, end);
    p.unless(JEQ, 6, 1, 'after the jump');
    p.asm.here(end);
    p.mov(6, 1);
    p.asm.add(0x00);
    p.unless(JEQ, 6, 1, 'after the instruction');
    p.exit();
  });
  expect(reach).toEqual({ 'after the jump': 'MAYBE', 'after the instruction': 'MAYBE' });
});

test('a program with an indirect jump is not followed', () => {
  const { reach, result } = reachCase((p) => {
    p.asm.add(0x0d, 1);
    p.poison('p');
  });
  expect([reach, result.obstacle]).toEqual([{ p: 'MAYBE' }, 'INDIRECT_JUMP']);
});

test('an indirect jump in dead code does not matter', () => {
  const { result } = reachCase((p) => {
    const end: Label = Symbol('end');
    p.asm.add(JA, 0, 0, end);
    p.asm.add(0x0d, 1);
    p.asm.here(end);
    p.exit();
  });
  expect(result.obstacle).toBe(null);
});

test.each(['little', 'big'] as const)('random bytes end in a result (%s-endian)', (byteOrder) => {
  const random = seeded(13);
  for (let i = 0; i < 2_000; i++) {
    const count = 1 + random(60);
    const code = Uint8Array.from({ length: 8 * count }, (_, at) => {
      // Short jumps, and registers that exist more often than not.
      if (at % 8 === 2) return random(2) === 0 ? random(20) : 256 - random(20);
      if (at % 8 === 3) return random(2) === 0 ? 0 : 255;
      if (at % 8 === 1) return random(4) === 0 ? random(256) : random(11) | (random(11) << 4);
      return random(256);
    });
    const starts = [0, ...Array.from({ length: random(3) }, () => random(count))];
    const budget = { left: 200_000 };
    const { instructions, obstacle } = reachOf(
      {
        code,
        byteOrder,
        functions: [...new Set(starts)]
          .toSorted((a, b) => a - b)
          .map((start) => ({ start, isGlobal: random(2) === 0 })),
        references: new Map([
          [random(count), { to: 'data', section: 0, offset: random(20) - 4 }],
          [random(count), { to: 'function', start: random(2 * count) }],
        ]),
        poisoned: new Set([random(count), random(2 * count)]),
        asked: [-1, count, random(count)],
        variables: [{ section: 0, offset: 0, bytes: new Uint8Array(9), isCertain: random(2) === 0 }],
        verifier: verifierTraits(random(0x7fff_ffff)),
      },
      budget,
    );
    expect(instructions.get(-1)?.reach).toBe(obstacle === null ? 'NEVER' : 'MAYBE');
    expect(budget.left).toBeGreaterThan(0);
  }
});

describe('A large program is judged within the budget:', () => {
  test('a million instructions in a line', () => {
    const { steps, reach } = stepsOf((p) => {
      for (let i = 0; i < MAX_INSTRUCTIONS - 3; i++) p.asm.add(0x07, 1, 0, 0, 1);
      p.poison('p');
      p.exit();
    });
    expect(reach).toEqual({ p: 'ALWAYS' });
    expect(steps).toBeLessThan(4 * MAX_INSTRUCTIONS);
  });

  test('a loop that jumps into another loop at two places', () => {
    const { steps, reach } = stepsOf((p) => {
      const labels = Array.from({ length: 2_000 }, (_, i): Label => Symbol(i));
      for (const [i, label] of labels.entries()) {
        p.asm.here(label);
        p.mov(1 + (i % 9), i);
        p.asm.jump(JEQ, 0, { immediate: i }, labels[(i * 7) % labels.length] ?? label);
        p.asm.jump(JEQ, 0, { immediate: i }, labels[(i * 13 + 5) % labels.length] ?? label);
      }
      p.unless(JEQ, 9, 1, 'p');
      p.exit();
    });
    expect(reach).toEqual({ p: 'MAYBE' });
    expect(steps).toBeLessThan(2_000_000);
  });

  test('a loop that makes one more cell unknown each time', () => {
    const { steps, reach } = stepsOf((p) => {
      const start: Label = Symbol('start');
      for (let slot = 1; slot <= 64; slot++) {
        p.mov(6, 5);
        p.asm.add(0x7b, 10, 6, -8 * slot);
      }
      p.asm.here(start);
      for (let slot = 64; slot > 1; slot--) {
        p.asm.add(0x79, 7, 10, -8 * slot + 8);
        p.asm.add(0x7b, 10, 7, -8 * slot);
      }
      p.asm.add(0x7b, 10, 0, -8);
      p.asm.add(0x79, 6, 10, -8 * 64);
      p.asm.jump(JEQ, 0, { immediate: 0 }, start);
      p.unless(JEQ, 6, 5, 'p');
      p.exit();
    });
    expect(reach).toEqual({ p: 'MAYBE' });
    // The loop has 129 instructions, and two runs visit it once for each of the 64 slots.
    expect(steps).toBeGreaterThan(2 * 60 * 129);
    expect(steps).toBeLessThan(2 * 70 * 150);
  });

  test('more states than there is room for', () => {
    const budget = { left: REACH_STEPS };
    const { reach, result } = reachCase(
      (p) => {
        for (let slot = 1; slot <= 64; slot++) p.asm.add(0x7b, 10, 6, -8 * slot);
        for (let slot = 1; slot <= 64; slot++) p.asm.add(0x79, 6, 10, -8 * slot);
        for (let i = 0; i < 400_000; i++) p.asm.add(JEQ, 0, 0, 0, i);
        p.poison('p');
      },
      { budget },
    );
    expect([reach, result.obstacle]).toEqual([{ p: 'MAYBE' }, 'TOO_LARGE']);
    expect(budget.left).toBeGreaterThan(-MERGE);
  });

  test('all are MAYBE once the budget is used up, which later programs share', () => {
    const budget = { left: 1_000 };
    const make = (p: ReachCase): void => {
      p.mov(1, 1);
      for (let i = 0; i < 300; i++) p.unless(JEQ, 1, 1, `p${i}`);
      p.exit();
    };
    expect(reachCase(make, { budget }).reach).toMatchObject({ p0: 'NEVER', p299: 'NEVER' });
    const { reach, result } = reachCase(make, { budget });
    expect(new Set(Object.values(reach))).toEqual(new Set(['MAYBE']));
    expect(result.obstacle).toBe('TOO_LARGE');
    expect(budget.left).toBeGreaterThan(-MERGE);
  });
});
