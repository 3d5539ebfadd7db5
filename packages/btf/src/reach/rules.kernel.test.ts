import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Spec } from '../spec.js';
import { type Label, ProgramAssembler } from '../testing/assemble-program.js';
import { ProgramLoader, type Verdict } from '../testing/program-loader.js';
import type { Reference } from './program.js';
import { verifierTraits } from './program.js';
import { reachOf } from './reach.js';

const JEQ = 0x15;
const JNE = 0x55;
const POISON = 0xbad2310;

needs('bpf', 'gcc').describe('The kernel and the analysis agree that', () => {
  let loader: ProgramLoader;
  let loaderWithOne: ProgramLoader;

  beforeAll(() => {
    loader = new ProgramLoader(new Uint8Array(8));
    loaderWithOne = new ProgramLoader(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
  });
  afterAll(() => {
    loader.close();
    loaderWithOne.close();
  });

  /** Judges a program whose poisoned instruction is jumped over if a comparison holds, and loads it. */
  function judge(
    make: (asm: ProgramAssembler) => Map<number, Reference>,
    opcode: number,
    immediate: number,
    data = 0,
  ): [reach: string | undefined, verdict: Verdict] {
    const asm = new ProgramAssembler();
    const references = make(asm);
    const end: Label = Symbol('end');
    asm.jump(opcode, 1, { immediate }, end);
    const poison = asm.add(0x85, 0, 0, 0, POISON);
    asm.here(end);
    asm.add(0xb7, 0);
    asm.add(0x95);
    const functions = [{ start: 0, isGlobal: false }];
    const { instructions } = reachOf({
      code: asm.bytes(),
      byteOrder: 'little',
      functions,
      references,
      poisoned: new Set([poison]),
      asked: [],
      variables: [{ section: 0, offset: 0, bytes: Uint8Array.of(data, 0, 0, 0), isCertain: false }],
      verifier: verifierTraits(0x7fff_ffff),
    });
    const [verdict = { errno: -1, log: '' }] = (data === 0 ? loader : loaderWithOne).load([
      { code: asm.bytes(), functions },
    ]);
    return [instructions.get(poison)?.reach, verdict];
  }

  test('const volatile int use_gone = 0 guards, and 1 does not', () => {
    const useGone = (asm: ProgramAssembler): Map<number, Reference> => {
      const at = asm.load64(1, 1n, 2);
      asm.add(0x61, 1, 1);
      return new Map([[at, { to: 'data', section: 0, offset: 0 }]]);
    };
    expect(judge(useGone, JEQ, 0)).toMatchObject(['NEVER_AS_INITIALIZED', { errno: 0 }]);
    const [reach, { errno, log }] = judge(useGone, JEQ, 0, 1);
    expect([reach, errno]).toEqual(['MAYBE', 22]);
    expect(log).toContain(`invalid func unknown#${POISON}`);
  });

  test('a pointer that is equal to a number stays a pointer', () => {
    const equal = (asm: ProgramAssembler): Map<number, Reference> => {
      const after: Label = Symbol('after');
      asm.jump(JEQ, 1, { immediate: 5 }, after);
      asm.add(0xb7, 0);
      asm.add(0x95);
      asm.here(after);
      return new Map();
    };
    const [reach, { log }] = judge(equal, JEQ, 5);
    expect(reach).toBe('MAYBE');
    expect(log).toContain(`invalid func unknown#${POISON}`);
  });

  needs('vmlinux').test('the address of a kernel function is not 0', () => {
    const vmlinux = Spec.parse(readFileSync('/sys/kernel/btf/vmlinux'));
    const [id] = vmlinux.idsByName('bpf_iter_num_new');
    // Linux before 6.4 has no such function, and refuses addresses of functions.
    if (id === undefined) return;
    const address = (asm: ProgramAssembler): Map<number, Reference> =>
      new Map([[asm.load64(1, BigInt(id), 3), { to: 'kfunc' }]]);
    expect(judge(address, JNE, 0)).toMatchObject(['NEVER', { errno: 0 }]);
    const [reach, { log }] = judge(address, JEQ, 0);
    expect(reach).toBe('ALWAYS');
    expect(log).toContain(`invalid func unknown#${POISON}`);
  });
});
