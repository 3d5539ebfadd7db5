import { describe, expect, test } from '@jest/globals';
import type { Label } from '../testing/assemble-program.js';
import { reachCase, type ReachCase, reachUnless } from '../testing/reach-case.js';
import { type ReadOnlyVariable, verifierTraits } from './program.js';

const JEQ = 0x15;
const JNE = 0x55;

function variable(offset: number, bytes: readonly number[], isCertain = false): ReadOnlyVariable {
  return { section: 3, offset, bytes: Uint8Array.from(bytes), isCertain };
}

/** Loads a variable of 4 bytes into a register. */
function loadVariable(program: ReachCase, register: number, offset: number): void {
  program.refer(register, { to: 'data', section: 3, offset });
  program.asm.add(0x61, register, register, 0);
}

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
      p.poison('after');
    });
    expect(reach).toEqual({ 'jumped over': 'NEVER', maybe: 'MAYBE', after: 'MAYBE' });
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
      if (point) p.pointTo(2, callee);
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
