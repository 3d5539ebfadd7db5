import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { assembleCoreObject, EXIT, LOCAL_FUNCTION, type ProgramWords } from '../testing/assemble-ext.js';
import { assembleObject } from '../testing/assemble-object.js';
import { readErrorOf } from '../testing/read-error-of.js';
import { parseBpfObject } from './bpf-object.js';
import { readCalls } from './calls.js';
import { CALL, LOAD_64, PSEUDO_CALL } from './instructions.js';
import { programAt, readPrograms } from './programs.js';

const ORDERS = ['little', 'big'] as const;

function testObject(name: string): ReturnType<typeof parseBpfObject> {
  return parseBpfObject(new Uint8Array(readFileSync(new URL(`testdata/${name}.bpf.o`, import.meta.url))));
}

const PROGRAMS: readonly ProgramWords[] = [
  { name: 'second', section: 'kprobe/b', instructions: [EXIT, EXIT] },
  { name: 'helper', section: '.text', instructions: [EXIT] },
  { name: 'off', section: '?tc', instructions: [EXIT] },
  { name: 'third', section: 'kprobe/b', instructions: [EXIT, EXIT, EXIT] },
  { name: 'inner', section: 'kprobe/b', instructions: [EXIT], info: LOCAL_FUNCTION },
];

describe.each(ORDERS)('the programs of a %s-endian object', (order) => {
  const object = parseBpfObject(assembleCoreObject(order, new BtfAssembler(order), PROGRAMS));
  const programs = readPrograms(object);

  test('are in the order of their instructions', () => {
    expect(
      programs.map(({ name, section, start, count, isSubprogram, autoload, isGlobal }) =>
        [name, section, start, count, isSubprogram, autoload, isGlobal].join(' '),
      ),
    ).toEqual([
      'second kprobe/b 0 2 false true true',
      'third kprobe/b 2 3 false true true',
      'inner kprobe/b 5 1 true true false',
      'helper .text 0 1 true true true',
      'off ?tc 0 1 false false true',
    ]);
    expect(programs[1]?.bytes[0]).toBe(EXIT.opcode);
  });

  test('contain their instructions', () => {
    const [second] = programs;
    const names = [0, 1, 2, 4, 5, 6].map(
      (at) => programAt(programs, second?.sectionIndex ?? 0, at)?.name ?? null,
    );
    expect(names).toEqual(['second', 'second', 'third', 'third', 'inner', null]);
    expect(programAt(programs, 1, 0)).toBeNull();
    expect(programAt([], 1, 0)).toBeNull();
  });
});

test('the programs and calls of compiled objects are those that llvm-objdump shows', () => {
  const shown = (name: string): string[] => {
    const object = testObject(name);
    const programs = readPrograms(object);
    const calls = readCalls(object, programs);
    return programs.map((program) => {
      const called = [...(calls.get(program) ?? [])].map((callee) => callee.name);
      return `${program.section} ${program.name} ${program.start}+${program.count} -> ${called.join(' ')}`;
    });
  };
  expect(shown('linked')).toMatchInlineSnapshot(`
    [
      "socket part 0+20 -> sum",
      ".text sum 0+19 -> ",
    ]
  `);
  expect(shown('rest-eb')).toMatchInlineSnapshot(`
    [
      ".text sum 0+19 -> ",
    ]
  `);
});

test.each(ORDERS)(
  'a %s-endian program refers to subprograms by symbol, by section and by distance',
  (order) => {
    const call = { opcode: CALL, src: PSEUDO_CALL };
    const relocations = new Uint8Array(48);
    const view = new DataView(relocations.buffer);
    // The symbols after the empty one: program, nearby, first, second, and the section `.text`.
    const words = [
      [0, 3, 10],
      [1, 5, 10],
      [3, 4, 1],
    ] as const;
    for (const [i, [instruction, symbol, type]] of words.entries()) {
      view.setBigUint64(i * 16, BigInt(instruction * 8), order === 'little');
      view.setBigUint64(i * 16 + 8, (BigInt(symbol) << 32n) | BigInt(type), order === 'little');
    }
    const object = parseBpfObject(
      assembleCoreObject(
        order,
        new BtfAssembler(order),
        [
          {
            name: 'program',
            instructions: [
              { ...call, immediate: -1 },
              { ...call, immediate: 2 },
              { ...call, immediate: 3 },
              { opcode: LOAD_64 },
              {},
              EXIT,
            ],
          },
          { name: 'nearby', instructions: [EXIT], info: LOCAL_FUNCTION },
          { name: 'first', section: '.text', instructions: [EXIT, EXIT, EXIT] },
          { name: 'second', section: '.text', instructions: [EXIT] },
        ],
        {
          sections: [{ name: '.relsocket', bytes: relocations, type: 9, info: 3, entrySize: 16 }],
          symbols: [{ name: '', section: '.text', value: 0, info: 3 }],
        },
      ),
    );
    const programs = readPrograms(object);
    const [program] = programs;
    const names = [...readCalls(object, programs)].map(
      ([{ name }, called]) => `${name}: ${[...called].map((callee) => callee.name).join(' ')}`,
    );
    expect(program?.name).toBe('program');
    expect(names).toEqual(['program: first second nearby', 'nearby: ', 'first: ', 'second: ']);
  },
);

describe('a function is rejected', () => {
  const BTF = new BtfAssembler('little').bytes();
  const read = (symbol: { name?: string; value?: number; size?: number }, flags: number | bigint = 6) => {
    const sections = [{ name: 'tc', bytes: new Uint8Array(16), flags }];
    const symbols = [{ name: 'f', value: 0, size: 8, info: 0x12, section: 'tc', ...symbol }];
    return readPrograms(parseBpfObject(assembleObject('little', BTF, { sections, symbols })));
  };

  test('is read if nothing is wrong', () => {
    expect(read({})).toHaveLength(1);
    expect(read({}, 2)).toEqual([]);
  });

  test('is read from a section with flags that no number holds', () => {
    expect(read({}, (1n << 63n) | 6n)).toHaveLength(1);
  });

  test.each([
    [{ size: 0 }, /not whole instructions/],
    [{ size: 12 }, /not whole instructions/],
    [{ value: 4 }, /not whole instructions/],
    [{ value: 16 }, /ends after the end of the section/],
    [{ size: 24 }, /ends after the end of the section/],
    [{ name: 'x'.repeat(600) }, /a long name/],
  ])('%j', (symbol, message) => {
    const error = readErrorOf(() => read(symbol));
    expect(error.code).toBe('MALFORMED');
    expect(error.message).toMatch(message);
  });

  test('in a compressed section', () => {
    expect(readErrorOf(() => read({}, 6 | 0x800)).code).toBe('UNSUPPORTED');
  });

  test('among too many', () => {
    const symbols = Array.from({ length: 4097 }, () => ({
      name: 'f',
      value: 0,
      size: 8,
      info: 0x12,
      section: 'tc',
    }));
    const sections = [{ name: 'tc', bytes: new Uint8Array(8), flags: 6 }];
    const object = parseBpfObject(assembleObject('little', BTF, { sections, symbols }));
    expect(readErrorOf(() => readPrograms(object)).code).toBe('LIMIT_EXCEEDED');
  });
});
