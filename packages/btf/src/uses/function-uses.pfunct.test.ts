import { execFileSync } from 'node:child_process';
import { beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import type { Spec } from '../spec.js';
import { kernels, readSpec } from '../testing/corpus.js';
import type { TypeId } from '../types.js';
import { type FunctionUse, functionsReturning, functionsTaking } from './function-uses.js';

const [kernel] = kernels('kernels');

/** Written is a type as pfunct writes it, without qualifiers: `struct page` and 1 for `const struct page  * page`. */
interface Written {
  /** Empty for a pointer to a function. */
  readonly type: string;
  readonly pointers: number;
}

/** Prototype is a function as pfunct prints it. */
interface Prototype {
  readonly name: string;
  readonly result: Written;
  readonly params: readonly Written[];
}

needs('pfunct', 'debian-kernels').describe('in a kernel', () => {
  const vmlinux = kernel?.vmlinux ?? '';
  let spec: Spec;
  let prototypes: readonly Prototype[];
  beforeAll(() => {
    spec = readSpec(vmlinux);
    prototypes = pfunct('-P').map(prototypeOf);
    expect(prototypes.length).toBeGreaterThan(40_000);
    expect(prototypes.filter(({ name }) => name === '')).toEqual([]);
  });

  test.each([
    ['struct task_struct', 400, 10],
    ['struct sk_buff', 700, 50],
    ['struct page', 200, 40],
    ['struct spinlock', 15, 0],
    ['struct list_head', 50, 0],
    ['union bpf_attr', 10, 0],
    ['enum hrtimer_restart', 0, 10],
    ['spinlock_t', 15, 0],
    ['gfp_t', 200, 1],
    ['kernel_siginfo_t', 5, 0],
    ['int', 2000, 5000],
    ['char', 500, 30],
  ])(
    'the prototypes that pfunct prints with %s take and return it, and no others',
    (type, taking, returning) => {
      const ids = idsOf(spec, type);
      const wordings = wordingsOf(spec, type, ids);
      const pointersIn = ({ type: written, pointers }: Written): number[] => {
        const more = wordings.get(written);
        return more === undefined ? [] : [pointers + more];
      };
      const theirs = prototypes.flatMap(({ name, params }) =>
        params.flatMap((param, index) => pointersIn(param).map((pointers) => use(name, index, pointers))),
      );
      expect(theirs.length).toBeGreaterThanOrEqual(taking);
      expect([...functionsTaking(spec, ids)].map(useOf).toSorted()).toEqual(theirs.toSorted());
      const theirResults = prototypes.flatMap(({ name, result }) =>
        pointersIn(result).map((pointers) => use(name, -1, pointers)),
      );
      expect(theirResults.length).toBeGreaterThanOrEqual(returning);
      expect([...functionsReturning(spec, ids)].map(useOf).toSorted()).toEqual(theirResults.toSorted());
    },
  );

  test.each([
    ['task_struct', 400],
    ['sk_buff', 700],
    ['page', 200],
    ['net_device', 250],
  ])('the functions that take a pointer to %s are those of pfunct --class', (name, least) => {
    const theirs = new Set(pfunct('--class', name));
    expect(theirs.size).toBeGreaterThan(least);
    const ids = idsOf(spec, `struct ${name}`);
    // pfunct finds one pointer to the very type.
    const ours = [...functionsTaking(spec, ids)].filter((found) => isPointerTo(spec, found.usedTypeId, ids));
    expect(new Set(ours.map((found) => found.name))).toEqual(theirs);
  });

  function pfunct(...options: string[]): string[] {
    const output = execFileSync('pfunct', ['-F', 'btf', ...options, vmlinux], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    return output.split('\n').filter((line) => line !== '');
  }
});

function use(name: string, index: number, pointers: number): string {
  return `${name} #${index} ${'*'.repeat(pointers)}`;
}

function useOf({ name, index, pointers }: FunctionUse): string {
  return use(name, index, pointers);
}

function idsOf(spec: Spec, type: string): TypeId[] {
  const [word = '', tag] = type.split(' ');
  return spec.idsByName(tag ?? word).filter((id) => {
    const found = spec.typeById(id);
    if (found.kind === 'FUNC' || found.kind === 'VAR' || found.kind === 'DATASEC') return false;
    if (tag === undefined) return found.kind === 'TYPEDEF' || found.kind === 'INT';
    return found.kind === 'FWD' ? found.union === (word === 'union') : found.kind === word.toUpperCase();
  });
}

/** Returns the ways to write a type in C: its own, and typedefs that stand for it, with the number of their pointers. */
function wordingsOf(spec: Spec, type: string, ids: readonly TypeId[]): Map<string, number> {
  const wordings = new Map([[type, 0]]);
  for (const id of spec.typeIds()) {
    if (ids.includes(id)) continue;
    const typedef = spec.typeById(id);
    if (typedef.kind !== 'TYPEDEF') continue;
    let pointers = 0;
    let at = typedef.typeId;
    while (!ids.includes(at)) {
      const next = at === 0 ? null : spec.typeById(at);
      if (next?.kind === 'PTR') pointers += 1;
      if (next === null || !('typeId' in next) || next.kind === 'FUNC') break;
      at = next.typeId;
    }
    if (ids.includes(at)) wordings.set(typedef.name, pointers);
  }
  return wordings;
}

/** Splits `struct page * f(int a, int (*b)(int, int));`. The name is empty if the line is another one. */
function prototypeOf(line: string): Prototype {
  const [, result = '', name = '', list = ''] = /^(.*?)(\w+)\((.*)\);$/.exec(line) ?? [];
  const params: string[] = [];
  let depth = 0;
  for (const part of list.split(/,\s*/)) {
    if (depth === 0) params.push(part);
    depth += part.split('(').length - part.split(')').length;
  }
  return { name, result: writtenIn(result), params: params.map(writtenIn) };
}

/** Reads the type of a result, or of a parameter with its name. */
function writtenIn(text: string): Written {
  const plain = text
    .replaceAll(/\b(?:const|volatile|restrict)\b/g, '')
    .replaceAll(/ +/g, ' ')
    .trim();
  const [, type = '', stars = ''] = TYPE.exec(plain) ?? [];
  return { type, pointers: stars.replaceAll(' ', '').length };
}

/** A type of one word or with a keyword; its pointers; a name. Types such as `long unsigned int` do not count. */
const TYPE = /^((?:(?:struct|union|enum) )?\w+) ?((?:\* ?)*)\w*$/;

function isPointerTo(spec: Spec, id: TypeId, targets: readonly TypeId[]): boolean {
  const type = spec.typeById(id);
  return type.kind === 'PTR' && targets.includes(type.typeId);
}
