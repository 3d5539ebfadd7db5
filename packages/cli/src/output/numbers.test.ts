import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Builder, type Member } from '@btfd/btf';
import { runCli } from '../testing/run-cli.js';
import { writeSmallKernel } from '../testing/small-kernel.js';
import { grouped, offsetText } from './numbers.js';

test.each([0, 7, 999, 1000, 12_345, 999_999, 1_000_000, 4_294_967_295, -1, -999, -1000])(
  '%d is grouped as in English',
  (integer) => {
    expect(grouped(integer)).toBe(integer.toLocaleString('en-US'));
    expect(grouped(BigInt(integer))).toBe(integer.toLocaleString('en-US'));
  },
);

test.each([
  [0, false, '0'],
  [8 * 1264, false, '1,264'],
  [8 * 1264 + 3, false, '1,264:3'],
  [8 * 1264, true, '1,264:0'],
])('an offset of %d bits (bitfield: %p) is %s', (bits, isBitfield, text) => {
  expect(offsetText(bits, isBitfield)).toBe(text);
});

const AGENT = fileURLToPath(new URL('../compat/testdata/agent.bpf.o', import.meta.url));

/** Writes a struct `outer` with a hole of some bytes and members after it, and a struct to which a pointer of it leads. */
function writeBtf(path: string, hole: number): void {
  const builder = new Builder();
  const long = builder.add({ kind: 'INT', name: 'long', size: 8, encoding: 1, bits: 64, bitOffset: 0 });
  const char = builder.add({ kind: 'INT', name: 'char', size: 1, encoding: 0, bits: 8, bitOffset: 0 });
  const block = builder.add({ kind: 'ARRAY', typeId: char, indexTypeId: long, nelems: 4096 });
  const member = (name: string, typeId: number, byte: number, bitfieldSize = 0): Member => ({
    name,
    typeId,
    bitOffset: byte * 8,
    bitfieldSize,
  });
  const inner = [member('block', block, 0), member('last', long, 4096)];
  const innerId = builder.add({ kind: 'STRUCT', name: 'inner', size: 4104, members: inner });
  const to = builder.add({ kind: 'PTR', typeId: innerId });
  const members = [
    member('first', long, 0),
    member('to', to, hole + 8),
    member('bits', long, hole + 16, 3),
    member('moved', long, hole + 24),
    member('block', block, hole + 32),
  ];
  builder.add({ kind: 'STRUCT', name: 'outer', size: hole + 32 + 4096 + 2000, members });
  for (let i = 0; hole > 3000 && i < 1100; i++) {
    const named = ['a', 'b'].map((name, at) => member(name, long, at * 8));
    builder.add({ kind: 'STRUCT', name: `more_${i % 100}_${i}`, size: 16, members: named });
  }
  writeFileSync(path, builder.marshal());
}

describe('all sizes, offsets and counts have commas in the text of', () => {
  let dir: string;

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'btfctl-numbers-'));
    writeBtf(join(dir, 'a.btf'), 2048);
    writeBtf(join(dir, 'b.btf'), 4096);
    const fillers = Array.from({ length: 300 }, (_, index) => `filler_${index}`);
    writeSmallKernel(join(dir, 'small'), { members: ['pid', ...fillers, 'flags', 'tgid'] });
    writeSmallKernel(join(dir, 'large'), { members: [...fillers, ...fillers, 'pid', 'flags', 'tgid'] });
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  test.each([
    ['member', ['member', 'outer.to.last', 'outer.bits', 'outer.block', '--in', 'a.btf']],
    ['layout', ['layout', 'outer', 'inner', '--in', 'a.btf']],
    ['find', ['find', 'outer', 'inner', '--in', 'a.btf', '-o', 'wide']],
    ['diff', ['diff', 'a.btf', 'b.btf', '--type', 'outer', '--type', 'inner']],
    ['diff with many types', ['diff', 'b.btf', 'a.btf']],
    ['compat', ['compat', AGENT, '--on', 'small', '--kernel-version', '6.1', '--all', '-o', 'wide']],
    [
      'compat of two kernels',
      ['compat', AGENT, '--on', 'small', '--on', 'large', '--kernel-version', '6.1', '--all', '-o', 'wide'],
    ],
  ])('%s', async (_, args) => {
    const { stdout, stderr } = await runCli(
      args.map((arg) => arg.replace(/^(a\.btf|b\.btf|small|large)$/, `${dir}/$1`)),
    );
    expect(stderr).toBe('');
    // Names and C have numbers of their own: lines of a source, elements of an array.
    const text = stdout.replaceAll(/\[\d+\]|more_\w+|filler_\d+|agent\.bpf\.c:.*/g, '');
    expect(text).toMatch(/\d,\d{3}/);
    expect(text.match(/.*\d{4}.*/g) ?? []).toEqual([]);
  });
});
