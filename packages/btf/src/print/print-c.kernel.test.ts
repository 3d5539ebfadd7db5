import { expect, test } from '@jest/globals';
import { bpftoolC, compareC, needs } from 'test-tools';
import { VMLINUX } from '../testing/bpftool.js';
import { compile, layoutAssertions } from '../testing/c-compiler.js';
import { filesOf, kernels, parseFile } from '../testing/corpus.js';
import { printC } from './print-c.js';

const live = { name: 'the running kernel', path: VMLINUX, basePath: undefined };
/** The files to compare in each run; print-c.long.test.ts compares all. */
const fetched = filesOf(kernels('kernels'), ['vmlinux', 'nf_conntrack', 'xfs']);

needs('vmlinux', 'gcc').describe('C of real kernels', () => {
  needs('debian-kernels').test('there is BTF of a Debian kernel and of its modules', () => {
    expect(fetched.length).toBeGreaterThan(2);
  });

  needs('bpftool').test.each([live, ...fetched])(
    'of $name equals bpftool’s text, in its order, except where that is wrong',
    (file) => {
      const text = printC(parseFile(file));
      const { unexplained, explained, definitions } = compareC(text, bpftoolC(file.path, file.basePath));
      console.info(
        `${file.name}: ${definitions} definitions, explained differences ${JSON.stringify(explained)}`,
      );
      expect(unexplained).toEqual([]);
      expect(definitions).toBeGreaterThan(10_000);
      expect(Object.values(explained).reduce((sum, count) => sum + count)).toBeLessThan(20);
    },
  );

  test.each([live, ...fetched])(
    'of $name compiles, and each named struct and union has the size and offsets of its BTF',
    (file) => {
      const { text, assertions } = layoutAssertions(parseFile(file));
      expect(assertions).toBeGreaterThan(20_000);
      expect(compile('gcc', text)).toEqual([]);
    },
  );

  test('with a wrong offset of a member would not compile', () => {
    const text = 'struct s { int a; int b; };\n_Static_assert(__builtin_offsetof(struct s, b) == 8, "b");';
    expect(compile('gcc', text)).toHaveLength(1);
  });

  test('of single types contains all types that they need and compiles alone, with its preamble', () => {
    const spec = parseFile(live);
    const roots = spec.idsByName('task_struct').slice(0, 1);
    const text = printC(spec, { roots });
    expect(text).toMatch(/^#ifndef __VMLINUX_H__\n/);
    expect(text).toMatch(/\nstruct task_struct \{\n/);
    expect(text.length).toBeLessThan(printC(spec).length / 3);
    expect(compile('gcc', text)).toEqual([]);
  });
});
