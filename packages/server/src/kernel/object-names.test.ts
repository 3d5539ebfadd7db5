import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { ErrorReason } from '@btfd/api';
import { intBtf } from '../testing/btf-bytes.js';
import { LOADER } from '../testing/callers.js';
import { FakeModules } from '../testing/fake-modules.js';
import { reasonOf } from '../testing/service-error.js';
import { makeServices, type ServicesForTest } from '../testing/services.js';

const OBJECTS = 10_000;

async function setUp(modules: FakeModules, dir = modules.dir): Promise<ServicesForTest> {
  modules.load('xfs');
  for (let i = 0; i < OBJECTS; i++) modules.kernel.addUsers(intBtf());
  const services = await makeServices(modules.kernel, { dir });
  await services.objects.look();
  modules.kernel.nexts = 0;
  modules.kernel.opens = 0;
  return services;
}

const find = async ({ specs }: ServicesForTest, name: string): Promise<void> =>
  (await specs.find({ case: 'name', value: name }, LOADER))[Symbol.dispose]();

describe('Among 10,000 objects, a name', () => {
  test.each(['nothing', '../xfs', 'n'.repeat(300)])(
    'that no file has costs no system call: %j',
    async (name) => {
      using modules = new FakeModules(false);
      const services = await setUp(modules);
      for (let i = 0; i < 10; i++) {
        expect(await reasonOf(async () => find(services, name))).toBe(ErrorReason.NAME_NOT_FOUND);
      }
      expect([modules.kernel.nexts, modules.kernel.opens]).toEqual([0, 0]);
    },
  );

  test('that was found once is found again with the opening of its object alone', async () => {
    using modules = new FakeModules(false);
    const services = await setUp(modules);
    await find(services, 'xfs');
    const { nexts, opens } = modules.kernel;
    for (let i = 0; i < 10; i++) await find(services, 'xfs');
    expect([modules.kernel.nexts, modules.kernel.opens]).toEqual([nexts, opens + 10]);
  });

  test('of the kernel itself is found again without a call of bpf(2), while its BTF is in the cache', async () => {
    using modules = new FakeModules(false);
    const services = await setUp(modules);
    await find(services, 'vmlinux');
    const { nexts, opens } = modules.kernel;
    for (let i = 0; i < 10; i++) await find(services, 'vmlinux');
    expect([modules.kernel.nexts, modules.kernel.opens]).toEqual([nexts, opens]);
    expect(services.specs.cacheStats.hits).toBe(10);
  });

  test('without sysfs is searched for once by all concurrent calls, and other work runs meanwhile', async () => {
    using modules = new FakeModules(false);
    const services = await setUp(modules, '/nonexistent');
    modules.kernel.perCall = () => services.clock.advance(0.1);
    let done = false;
    const all = Promise.all(
      Array.from({ length: 50 }, async () => reasonOf(async () => find(services, 'none'))),
    );
    void all.then(() => (done = true));
    let most = 0;
    for (let before = 0; !done; before = modules.kernel.nexts) {
      await setImmediate();
      most = Math.max(most, modules.kernel.nexts - before);
    }
    expect(new Set(await all)).toEqual(new Set([ErrorReason.NAME_NOT_FOUND]));
    // Each call needs a look that begins after it: the first has one, and all others share the next.
    expect(modules.kernel.nexts).toBeLessThan(2.5 * OBJECTS);
    // 2 ms of a system call that takes 0.1 ms here.
    expect(most).toBeLessThan(25);
  });
});
