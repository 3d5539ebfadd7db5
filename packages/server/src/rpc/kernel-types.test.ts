import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { Encoding, SpecRequestSchema, type TypeSelectionSchema } from '@btfd/api';
import { Kind } from '@btfd/btf';
import { LoadedBtf } from '../source/loaded-btf.js';
import { BtfWriter, vmlinuxAndModule } from '../testing/btf-bytes.js';
import { collect } from '../testing/collect.js';
import { callBy } from '../testing/callers.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { CountedJobs } from '../testing/inline-jobs.js';
import { makeServices } from '../testing/services.js';
import { KernelBtf } from './kernel-btf.js';
import { KernelTypes } from './kernel-types.js';
import { spec } from './spec.js';

type Selection = Omit<MessageInitShape<typeof TypeSelectionSchema>, '$typeName'>;

const CHAIN = 2_000;

/** `struct s { struct s *next; int a; }`, two `struct twin`, and `struct long`, which refers to a long chain of types. */
function vmlinux(): Uint8Array {
  const types = new BtfWriter()
    .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] })
    .type(Kind.STRUCT, 's', { vlen: 2, sizeOrTypeId: 16, data: ['next', 3, 0, 'a', 1, 64] })
    .type(Kind.PTR, '', { sizeOrTypeId: 2 })
    .type(Kind.STRUCT, 'twin', { vlen: 1, sizeOrTypeId: 8, data: ['a', 1, 0] })
    .type(Kind.STRUCT, 'twin', { vlen: 1, sizeOrTypeId: 8, data: ['a', 1, 32] })
    .type(Kind.STRUCT, 'long', { vlen: 1, sizeOrTypeId: 8, data: ['first', 7, 0] });
  for (let id = 7; id < CHAIN; id++) types.type(Kind.PTR, '', { sizeOrTypeId: id + 1 });
  return types.type(Kind.PTR, '').bytes();
}

/**
 * Returns a function that selects types of an object, and returns the messages and how many jobs that took. The first
 * call has been made. No response is kept.
 */
async function setUp(kernel: FakeKernel, beginning: Selection = { names: ['s'] }) {
  const workers = new CountedJobs();
  const services = await makeServices(kernel, { limits: { responseCacheBytes: 0 } });
  const rpc = spec({ ...services, workers });
  const select = async (selection: Selection, name = 'vmlinux', encoding = Encoding.TYPES) => {
    const before = workers.jobs;
    const source = { case: 'name', value: name } as const;
    const request = create(SpecRequestSchema, { source, encoding, selection });
    const messages = await collect(rpc(request, callBy()));
    return { messages, jobs: workers.jobs - before };
  };
  const first = await select(beginning);
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  return { select, first };
}

function kernelWith(bytes: Uint8Array): FakeKernel {
  const kernel = new FakeKernel();
  kernel.add('vmlinux', bytes);
  return kernel;
}

describe('Types of vmlinux', () => {
  test.each<[string, Selection]>([
    ['a name', { names: ['s'] }],
    ['a name with its closure', { names: ['s'], closure: true }],
    ['a name of two types', { names: ['twin'] }],
    ['names of which one is unknown', { names: ['s', 'none', 'int'] }],
    ['a name and a kind', { names: ['s'], kinds: [Kind.INT] }],
  ])('are encoded without a job, with the messages of a job: %s', async (_, selection) => {
    const own = await setUp(kernelWith(vmlinux()));
    const { messages, jobs } = await own.select(selection);
    expect(jobs).toBe(0);
    // The first call comes before vmlinux is parsed.
    const { first } = await setUp(kernelWith(vmlinux()), selection);
    expect(first).toEqual({ messages, jobs: 1 });
  });

  test.each<[string, Selection]>([
    ['five names', { names: ['s', 'int', 'twin', 'a', 'b'] }],
    ['long names', { names: ['s', 'x'.repeat(1_024)] }],
    ['the types without a name', { names: [''] }],
    ['a glob', { names: ['s'], nameGlobs: ['i*'] }],
    ['an id', { names: ['s'], ids: [1] }],
    ['no name', { kinds: [Kind.INT] }],
    ['a large closure', { names: ['long'], closure: true }],
  ])('are encoded by a job: %s', async (_, selection) => {
    const { select } = await setUp(kernelWith(vmlinux()));
    expect((await select(selection)).jobs).toBe(1);
  });

  test('are encoded by a job while vmlinux is not parsed, and in other encodings', async () => {
    const { select, first } = await setUp(kernelWith(vmlinux()));
    expect(first.jobs).toBe(1);
    expect((await select({ names: ['s'] }, 'vmlinux', Encoding.C)).jobs).toBe(1);
    expect((await select({ names: ['s'] }, 'vmlinux', Encoding.RAW)).jobs).toBe(1);
  });
});

test('Types of a module are encoded by a job', async () => {
  const { vmlinux: base, module } = vmlinuxAndModule();
  const kernel = kernelWith(base);
  kernel.add('mod', module);
  const { select } = await setUp(kernel);
  expect((await select({ names: ['mod_t'] }, 'mod')).jobs).toBe(1);
});

test('The event loop does a limited number of steps for all calls in one turn', async () => {
  const btf = await LoadedBtf.of(vmlinux());
  const kernelBtf = new KernelBtf(5_000);
  await kernelBtf.prepare(btf);
  const types = new KernelTypes(kernelBtf);
  const selection = { names: ['s'], nameGlobs: [], kinds: [], ids: [], closure: true };
  const job = { encoding: Encoding.TYPES, selection, chunkBytes: 64 * 1024 };
  const answers = (): number =>
    Array.from({ length: 100 }, () => types.items(btf, job)).filter((items) => items !== null).length;
  const first = answers();
  expect([first > 0, first < 100]).toEqual([true, true]);
  expect(answers()).toBe(0);
  await new Promise(setImmediate);
  expect(answers()).toBe(first);
});
