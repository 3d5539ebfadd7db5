import { expect, test } from '@jest/globals';
import { seeded } from 'test-tools/random';
import { BtfFormatError } from '../format-error.js';
import { parseBpfObject } from '../object/bpf-object.js';
import { Spec } from '../spec.js';
import { assembleCoreObject, EXIT, type ProgramWords } from '../testing/assemble-ext.js';
import { checkBytes, CHECK_OBJECTS, VERSION } from '../testing/check-case.js';
import { structs } from '../testing/core-structs.js';
import { mutate } from '../testing/mutate.js';
import { smallKernel } from '../testing/small-kernel.js';
import { checkObject } from './check-object.js';

const KERNEL = smallKernel();

/** Returns whether the object was judged. Everything else is a typed error. */
function isJudged(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(BtfFormatError);
    return false;
  }
}

test.each(['libbpf', 'cilium'] as const)(
  'mutants of objects and kernels give a report or a typed error (%s)',
  (loader) => {
    const random = seeded(13);
    const options = { loader, kernelVersion: VERSION };
    let judged = 0;
    for (const name of CHECK_OBJECTS) {
      const bytes = checkBytes(name);
      for (let i = 0; i < 60; i++) {
        const mutant = mutate(bytes, random);
        const kernel = random(2) === 0 ? KERNEL.bytes : mutate(KERNEL.bytes, random);
        const run = (): unknown =>
          checkObject(parseBpfObject(mutant), { kernel: Spec.parse(kernel) }, options);
        if (isJudged(run)) judged += 1;
      }
    }
    expect(judged).toBeGreaterThan(150);
  },
);

test('each beginning of an object gives a typed error', () => {
  const bytes = checkBytes('struct-ops');
  for (let length = 0; length < bytes.length; length += 7) {
    expect(isJudged(() => checkObject(parseBpfObject(bytes.slice(0, length)), { kernel: KERNEL }))).toBe(
      false,
    );
  }
});

test('programs that all use the same large subprogram are limited', () => {
  const nothing = { opcode: 0xb7 };
  const large: ProgramWords = {
    name: 'large',
    section: '.text',
    instructions: [...Array.from({ length: 50_000 }, () => nothing), EXIT],
  };
  const call = { opcode: 0x85, src: 1, immediate: -1 };
  const count = 100;
  const programs = Array.from({ length: count }, (_, i) => ({
    name: `p${i}`,
    section: 'socket',
    instructions: [call, EXIT],
  }));
  // One relocation for each program: a call of the symbol after all programs.
  const relocations = new Uint8Array(16 * count);
  const view = new DataView(relocations.buffer);
  for (let i = 0; i < count; i++) {
    view.setUint32(16 * i, 16 * i, true);
    view.setUint32(16 * i + 8, 10, true);
    // The table begins with an empty symbol.
    view.setUint32(16 * i + 12, count + 1, true);
  }
  const socket = 3;
  const file = assembleCoreObject('little', structs('s.a:4'), [...programs, large], {
    sections: [{ name: '.relsocket', bytes: relocations, type: 9, info: socket, entrySize: 16 }],
  });
  const object = parseBpfObject(file);
  expect(() => checkObject(object, { kernel: KERNEL })).toThrow(
    'subprograms are part of so many programs that there are more than 4194304 instructions',
  );
  expect(checkObject(object, { kernel: KERNEL }, { programs: ['p1'] }).verdict).toBe('FITS');
});
