import { expect, test } from '@jest/globals';
import { bpftoolC, compareC, needs } from 'test-tools';
import { VMLINUX } from '../testing/bpftool.js';
import { compile, layoutAssertions } from '../testing/c-compiler.js';
import { filesOf, kernels, parseFile } from '../testing/corpus.js';
import { printC } from './print-c.js';

const files = [
  { name: 'the running kernel', path: VMLINUX, basePath: undefined },
  ...filesOf(kernels('corpus'), ['vmlinux', 'nf_conntrack', 'xfs']),
];

needs('vmlinux', 'bpftool', 'clang').describe('C of real kernels', () => {
  test.each(files)('of $name equals bpftool’s text except where that is wrong', (file) => {
    const { unexplained } = compareC(printC(parseFile(file)), bpftoolC(file.path, file.basePath));
    expect(unexplained).toEqual([]);
  });

  test.each(files)(
    'of $name compiles in clang with the pragma, and has the sizes and offsets of its BTF',
    (file) => {
      const spec = parseFile(file);
      expect(compile('clang', printC(spec), ['-target', 'bpf', '-g'])).toEqual([]);
      const { text, assertions } = layoutAssertions(spec);
      expect(assertions).toBeGreaterThan(20_000);
      expect(compile('clang', text)).toEqual([]);
    },
  );
});
