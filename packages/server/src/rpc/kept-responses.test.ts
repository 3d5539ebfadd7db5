import { create } from '@bufbuild/protobuf';
import { Encoding, ErrorReason, ResolveMembersRequestSchema, SpecRequestSchema } from '@btfd/api';
import { Kind } from '@btfd/btf';
import { describe, expect, test } from '@jest/globals';
import { Encoded } from '../grpc/rpc.js';
import { BtfWriter, vmlinuxAndModule } from '../testing/btf-bytes.js';
import { callBy, callerAs } from '../testing/callers.js';
import { collect } from '../testing/collect.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { FakeModules } from '../testing/fake-modules.js';
import { CountedJobs } from '../testing/inline-jobs.js';
import { makeServices, type ServicesChoices } from '../testing/services.js';
import { resolveMembers } from './resolve-members.js';
import { spec } from './spec.js';

/** `struct s { int a; }`, whose member lies at a bit. */
function structAt(bit: number): Uint8Array {
  return new BtfWriter()
    .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] })
    .type(Kind.STRUCT, 's', { vlen: 1, sizeOrTypeId: 16, data: ['a', 1, bit] })
    .bytes();
}

async function setUp(kernel: FakeKernel, choices: ServicesChoices = {}) {
  const workers = new CountedJobs();
  const services = { ...(await makeServices(kernel, choices)), workers };
  const types = spec(services);
  const members = resolveMembers(services);
  return {
    workers,
    select: async (id: number, encoding = Encoding.TYPES, caller = callerAs('inspector')) => {
      const source = { case: 'id', value: id } as const;
      const selection = { names: ['s'], closure: encoding === Encoding.TYPES };
      const request = create(SpecRequestSchema, { source, encoding, selection });
      return collect(types(request, callBy(caller)));
    },
    resolve: async (id: number, caller = callerAs('inspector')) => {
      const source = { case: 'id', value: id } as const;
      const request = create(ResolveMembersRequestSchema, { source, paths: ['s.a'] });
      const response = await members(request, callBy(caller));
      if (!(response instanceof Encoded)) throw new Error('the response is not encoded');
      return Buffer.from(response.wire);
    },
  };
}

describe('A request that was served before', () => {
  test.each([Encoding.TYPES, Encoding.C, Encoding.RAW])(
    'takes no job, in the encoding %s',
    async (encoding) => {
      const kernel = new FakeKernel();
      const id = kernel.addUsers(structAt(32));
      const { select, workers } = await setUp(kernel);
      const first = await select(id, encoding);
      expect(first.length).toBeGreaterThan(1);
      expect([await select(id, encoding), workers.jobs]).toEqual([first, 1]);
    },
  );

  test('takes no job, about members', async () => {
    const kernel = new FakeKernel();
    const id = kernel.addUsers(structAt(32));
    const { resolve, workers } = await setUp(kernel);
    const first = await resolve(id);
    expect([await resolve(id), workers.jobs]).toEqual([first, 1]);
  });

  test('about members of vmlinux is served in one turn, and each call counts once', async () => {
    using modules = new FakeModules(true);
    const services = await makeServices(modules.kernel, { dir: modules.dir });
    const members = resolveMembers({ ...services, workers: new CountedJobs() });
    const ask = (path: string) => {
      const source = { case: 'name', value: 'vmlinux' } as const;
      return members(create(ResolveMembersRequestSchema, { source, paths: [path] }), callBy());
    };
    const first = await ask('none.a');
    const again = ask('none.a');
    expect(again).toBeInstanceOf(Encoded);
    expect(again).toEqual(first);
    // Another path is not kept.
    await ask('none.b');
    expect(services.specs.cacheStats).toMatchObject({ hits: 2, misses: 1 });
    expect(services.quotas.specBytes.inUse).toBe(0);
  });

  test('has another response about other BTF, and the same one about another object of equal BTF', async () => {
    const kernel = new FakeKernel();
    const [one, other, same] = [structAt(32), structAt(64), structAt(32)].map((bytes) =>
      kernel.addUsers(bytes),
    );
    const { resolve, select, workers } = await setUp(kernel);
    const responses = [];
    for (const id of [one ?? 0, other ?? 0, same ?? 0]) responses.push([await resolve(id), await select(id)]);
    const [first, second, third] = responses;
    expect(second?.[0]).not.toEqual(first?.[0]);
    expect(third?.[0]).toEqual(first?.[0]);
    expect(workers.jobs).toBe(4);
  });

  test('takes no job, about a module', async () => {
    const { vmlinux, module } = vmlinuxAndModule();
    const kernel = new FakeKernel();
    kernel.add('vmlinux', vmlinux);
    const id = kernel.add('mod', module);
    const { workers, select } = await setUp(kernel);
    await select(id);
    await select(id);
    expect(workers.jobs).toBe(1);
  });

  test('is refused if the caller may not see the object', async () => {
    const kernel = new FakeKernel();
    const id = kernel.addUsers(structAt(32));
    const { resolve, select } = await setUp(kernel);
    await resolve(id);
    await select(id);
    const viewer = callerAs('viewer', 'uid:1001');
    await expect(resolve(id, viewer)).rejects.toMatchObject({ reason: ErrorReason.ROLE_FORBIDS });
    await expect(select(id, Encoding.TYPES, viewer)).rejects.toMatchObject({
      reason: ErrorReason.ROLE_FORBIDS,
    });
  });

  test('takes a job each time if no responses are kept', async () => {
    const kernel = new FakeKernel();
    const id = kernel.addUsers(structAt(32));
    const { select, workers } = await setUp(kernel, { limits: { responseCacheBytes: 0 } });
    await select(id);
    await select(id);
    expect(workers.jobs).toBe(2);
  });
});
