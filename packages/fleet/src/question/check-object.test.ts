import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Builder, Spec } from '@btfd/btf';
import { BtfFleet } from '../fleet.js';
import { staticNodes } from '../source/static-nodes.js';
import { Fakes } from '../testing/fakes.js';

const TESTDATA = new URL('../../../btf/src/', import.meta.url);
const objectFile = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`${name}.bpf.o`, TESTDATA)));
/** Programs that attach to functions, which may be those of any module. */
const NEEDS = objectFile('check/testdata/needs');
/** Relocations alone. */
const RELOCATIONS = objectFile('object/testdata/variables');

function vmlinux(): Uint8Array {
  const builder = new Builder();
  const int = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  const typeId = builder.add({ kind: 'FUNC_PROTO', returnTypeId: int, params: [] });
  builder.add({ kind: 'FUNC', name: 'traced', typeId, linkage: 0 });
  return builder.marshal();
}

function moduleBtf(struct: string): Uint8Array {
  const builder = new Builder({ base: Spec.parse(vmlinux()) });
  builder.add({ kind: 'STRUCT', name: struct, size: 4, members: [] });
  return builder.marshal();
}

describe('An object', () => {
  async function setUp(fakes: Fakes): Promise<BtfFleet> {
    const nodes = [
      await fakes.start('a', vmlinux()),
      await fakes.start('b', vmlinux()),
      await fakes.start('c', vmlinux(), { m: moduleBtf('x') }),
      await fakes.start('d', vmlinux(), { m: moduleBtf('x') }),
      await fakes.start('e', vmlinux(), { m: moduleBtf('y') }),
    ];
    return new BtfFleet(staticNodes(nodes), { concurrency: 1 });
  }

  test('that may need any module is checked once for each set of modules', async () => {
    await using fakes = new Fakes();
    await using fleet = await setUp(fakes);
    const { builds, complete } = await fleet.checkObject(NEEDS);
    expect(builds.map(({ nodes }) => nodes)).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
    expect(builds.map(({ value }) => value?.dependsOnAllModules)).toEqual([true, true, true]);
    expect(builds.every(({ value }) => value !== null && value.programs.length > 0)).toBe(true);
    expect(complete).toBe(true);
  });

  test('that is checked without modules is checked once for the build', async () => {
    await using fakes = new Fakes();
    await using fleet = await setUp(fakes);
    const { builds } = await fleet.checkObject(RELOCATIONS, { modules: [], loader: 'libbpf' });
    expect(builds.map(({ nodes }) => nodes)).toEqual([['a', 'b', 'c', 'd', 'e']]);
  });

  test('with a module that some nodes do not have is an error there', async () => {
    await using fakes = new Fakes();
    await using fleet = await setUp(fakes);
    const { builds } = await fleet.checkObject(RELOCATIONS, { modules: ['m'] });
    const summary = builds.map(({ nodes, error }) => [nodes, error?.reason]);
    expect(summary).toContainEqual([['a', 'b'], 'NAME_NOT_FOUND']);
    expect(builds.flatMap(({ nodes, error }) => (error === null ? nodes : [])).toSorted()).toEqual([
      'c',
      'd',
      'e',
    ]);
  });

  test('that cannot be read is an error of the build, for which one node is asked', async () => {
    await using fakes = new Fakes();
    await using fleet = await setUp(fakes);
    const { builds } = await fleet.checkObject(new Uint8Array(100));
    expect(builds).toMatchObject([{ value: null, error: { reason: 'OBJECT_UNREADABLE' } }]);
  });
});
