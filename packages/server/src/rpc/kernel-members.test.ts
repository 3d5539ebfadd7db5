import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { ResolveMembersRequestSchema } from '@btfd/api';
import { BtfFormatError, Kind } from '@btfd/btf';
import { Encoded } from '../grpc/rpc.js';
import { LoadedBtf } from '../source/loaded-btf.js';
import { BtfWriter, vmlinuxAndModule } from '../testing/btf-bytes.js';
import { callBy } from '../testing/callers.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { CountedJobs } from '../testing/inline-jobs.js';
import { makeServices, type ServicesChoices } from '../testing/services.js';
import { TempDir } from '../testing/temp-dir.js';
import { KernelBtf } from './kernel-btf.js';
import { KernelMembers } from './kernel-members.js';
import { resolveMembers } from './resolve-members.js';

/**
 * `struct s { struct s *next; int a; }`, another `struct s` without `a`, two `struct twin` that differ, and a pointer with
 * a long tag.
 */
const VMLINUX = new BtfWriter()
  .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] })
  .type(Kind.STRUCT, 's', { vlen: 2, sizeOrTypeId: 16, data: ['next', 3, 0, 'a', 1, 64] })
  .type(Kind.PTR, '', { sizeOrTypeId: 2 })
  .type(Kind.STRUCT, 's', { vlen: 1, sizeOrTypeId: 8, data: ['next', 3, 0] })
  .type(Kind.STRUCT, 'twin', { vlen: 1, sizeOrTypeId: 8, data: ['a', 1, 0] })
  .type(Kind.STRUCT, 'twin', { vlen: 1, sizeOrTypeId: 8, data: ['a', 1, 32] })
  .type(Kind.TYPE_TAG, 'x'.repeat(1_024), { sizeOrTypeId: 2 })
  .type(Kind.PTR, '', { sizeOrTypeId: 7 })
  .type(Kind.STRUCT, 'tagged', { vlen: 1, sizeOrTypeId: 8, data: ['p', 8, 0] })
  .bytes();

/** Returns a function that resolves paths, and says how many jobs that took. No response is kept. */
async function setUp(kernel: FakeKernel, choices: ServicesChoices = {}) {
  const services = await makeServices(kernel, { ...choices, limits: { responseCacheBytes: 0 } });
  const workers = new CountedJobs();
  const rpc = resolveMembers({ ...services, workers });
  const setup = {
    workers,
    rpc,
    resolve: async (paths: readonly string[], name = 'vmlinux') => {
      const source = { case: 'name', value: name } as const;
      const before = workers.jobs;
      const answer = await rpc(create(ResolveMembersRequestSchema, { source, paths: [...paths] }), callBy());
      if (!(answer instanceof Encoded)) throw new Error('the response is not encoded');
      return { wire: Buffer.from(answer.wire), jobs: workers.jobs - before };
    },
    /** Lets the event loop parse vmlinux, which the first call begins. */
    prepare: async () => {
      await setup.resolve(['1']).catch(() => {});
      for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
      workers.jobs = 0;
    },
  };
  await setup.prepare();
  return setup;
}

function kernelWith(bytes = VMLINUX): FakeKernel {
  const kernel = new FakeKernel();
  kernel.add('vmlinux', bytes);
  return kernel;
}

describe('Members of vmlinux', () => {
  test.each([
    ['one path', ['s.a']],
    ['sixteen paths', Array.from({ length: 4 }, () => ['s.a', 's.next.a', 's.next.next', '2']).flat()],
    ['no path', []],
  ])('are resolved without a job, with the bytes of a job: %s', async (_, paths) => {
    const own = await setUp(kernelWith());
    using dir = new TempDir();
    dir.write('vmlinux', VMLINUX);
    const byJob = await setUp(new FakeKernel(), { dir: dir.path, filesOnly: true });
    const expected = await byJob.resolve(paths);
    expect([await own.resolve(paths), expected.jobs]).toEqual([{ ...expected, jobs: 0 }, 1]);
  });

  test.each([
    ['seventeen paths', Array.from({ length: 17 }, () => 's.a')],
    ['many characters', Array.from({ length: 4 }, () => `s${'.next'.repeat(55)}`)],
    ['a path that fails', ['s.a', 's.none']],
    ['a type that does not exist', ['none.a']],
    ['something that is not a path', ['s..a']],
    ['an ambiguous path', ['twin.a']],
    ['a result that is too large', ['tagged.p.a']],
  ])('are resolved by a job: %s', async (_, paths) => {
    const { resolve } = await setUp(kernelWith());
    expect((await resolve(paths)).jobs).toBe(1);
  });

  test('are resolved without a job also by the id of vmlinux, and by a handle', async () => {
    const kernel = kernelWith();
    const services = await makeServices(kernel, { limits: { responseCacheBytes: 0 } });
    const workers = new CountedJobs();
    const call = callBy();
    const object = kernel.open(1);
    const { token } = services.handles.grant(call.caller, object, object.info(), 1_000);
    const rpc = resolveMembers({ ...services, workers });
    for (const source of [{ case: 'id', value: 1 } as const, { case: 'handle', value: token } as const]) {
      const request = create(ResolveMembersRequestSchema, { source, paths: ['s.a'] });
      await rpc(request, call);
      for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    }
    // The first one, while vmlinux was not parsed.
    expect(workers.jobs).toBe(1);
    services.handles.close(token);
  });

  test('are those of the BTF that vmlinux has now', async () => {
    const kernel = kernelWith();
    const { resolve, prepare } = await setUp(kernel);
    const before = await resolve(['s.a']);
    kernel.remove(1);
    const moved = new BtfWriter()
      .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] })
      .type(Kind.STRUCT, 's', { vlen: 1, sizeOrTypeId: 16, data: ['a', 1, 96] });
    kernel.add('vmlinux', moved.bytes());
    expect((await resolve(['s.a'])).jobs).toBe(1);
    await prepare();
    const after = await resolve(['s.a']);
    expect([after.jobs, after.wire.equals(before.wire)]).toEqual([0, false]);
  });

  test('are resolved by a job if the BTF of vmlinux cannot be parsed', async () => {
    const broken = VMLINUX.slice();
    // The last byte of the strings.
    broken[broken.length - 1] = 1;
    const { resolve, workers } = await setUp(kernelWith(broken));
    for (const jobs of [1, 2]) {
      await expect(resolve(['s.a'])).rejects.toThrow(BtfFormatError);
      expect(workers.jobs).toBe(jobs);
    }
  });

  test('are not resolved for a client that is gone', async () => {
    const { rpc } = await setUp(kernelWith());
    const source = { case: 'name', value: 'vmlinux' } as const;
    const gone = callBy(undefined, AbortSignal.abort(new Error('gone')));
    const request = create(ResolveMembersRequestSchema, { source, paths: ['s.a'] });
    await expect((async () => rpc(request, gone))()).rejects.toThrow('gone');
  });
});

describe('Members of other BTF are resolved by a job', () => {
  const { vmlinux, module } = vmlinuxAndModule();

  test('of a module, over vmlinux', async () => {
    const kernel = kernelWith(vmlinux);
    kernel.add('mod', module);
    const { resolve } = await setUp(kernel);
    expect((await resolve(['mod_t'], 'mod')).jobs).toBe(1);
  });

  test('of a user, also with the name vmlinux', async () => {
    const kernel = kernelWith();
    const id = kernel.addUsers(VMLINUX);
    const { rpc, workers } = await setUp(kernel);
    await rpc(
      create(ResolveMembersRequestSchema, { source: { case: 'id', value: id }, paths: ['s.a'] }),
      callBy(),
    );
    expect(workers.jobs).toBe(1);
  });

  test('of a file vmlinux in a folder that is not the kernel’s', async () => {
    using dir = new TempDir();
    dir.write('vmlinux', VMLINUX);
    const { resolve } = await setUp(new FakeKernel(), { dir: dir.path });
    expect((await resolve(['s.a'])).jobs).toBe(1);
  });
});

describe('The event loop', () => {
  test('does a limited number of steps for all calls in one turn', async () => {
    const btf = await LoadedBtf.of(VMLINUX);
    const kernelBtf = new KernelBtf(10_000);
    const members = new KernelMembers(kernelBtf);
    await kernelBtf.prepare(btf);
    const answers = (): number =>
      Array.from({ length: 10 }, () => members.resolve(btf, ['s.a'])).filter((wire) => wire !== null).length;
    const first = answers();
    expect([first > 0, first < 10]).toEqual([true, true]);
    expect(answers()).toBe(0);
    await new Promise(setImmediate);
    expect(answers()).toBe(first);
  });

  test('does a limited number of steps for one call', async () => {
    const members = Array.from({ length: 8_000 }, (_, index) => [`m${index}`, 1, 32 * index]);
    const bytes = new BtfWriter()
      .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] })
      .type(Kind.STRUCT, 'wide', { vlen: 8_000, sizeOrTypeId: 32_000, data: members.flat() })
      .bytes();
    const btf = await LoadedBtf.of(bytes);
    const kernelBtf = new KernelBtf();
    const kernelMembers = new KernelMembers(kernelBtf);
    await kernelBtf.prepare(btf);
    expect(kernelMembers.resolve(btf, ['wide.m1'])).toBeNull();
    expect(kernelMembers.resolve(btf, ['1'])).not.toBeNull();
  });
});
