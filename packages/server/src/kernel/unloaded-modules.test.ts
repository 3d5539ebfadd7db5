import { describe, expect, test } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { ErrorReason, GetHandleByIdRequestSchema, GetHandleInfoRequestSchema } from '@btfd/api';
import { getHandleById } from '../rpc/get-handle-by-id.js';
import { openVisible } from '../handle/open-by-id.js';
import { getHandleInfo } from '../rpc/get-handle-info.js';
import { intBtf } from '../testing/btf-bytes.js';
import { callBy, LOADER } from '../testing/callers.js';
import { collect } from '../testing/collect.js';
import { FakeModules } from '../testing/fake-modules.js';
import { reasonOf } from '../testing/service-error.js';
import { makeServices, type ServicesForTest } from '../testing/services.js';

/** Releases differ in what they do with the id of an unloaded module while somebody holds it. */
describe.each([
  ['keeps the id of an unloaded module that is held (6.16, 6.18)', true],
  ['frees the id of an unloaded module at once (6.1, 6.12, 7.2, 7.3)', false],
])('A kernel that %s', (_, keepsIds) => {
  const setUp = async (modules: FakeModules): Promise<ServicesForTest> =>
    makeServices(modules.kernel, { dir: modules.dir });

  const hold = async (services: ServicesForTest, id: number): Promise<string> => {
    const init = await getHandleById(services)(create(GetHandleByIdRequestSchema, { id }), callBy());
    return init.handle?.token ?? '';
  };

  const isRemoved = async (services: ServicesForTest, token: string): Promise<boolean | undefined> => {
    const init = await getHandleInfo(services)(create(GetHandleInfoRequestSchema, { token }), callBy());
    return init.handle?.info?.removed;
  };

  const bytesOf = async (services: ServicesForTest, name: string): Promise<Uint8Array> => {
    using found = await services.specs.find({ case: 'name', value: name }, LOADER);
    return found.btf.bytes.slice();
  };

  const listed = async ({ objects }: ServicesForTest): Promise<[number, string][]> =>
    (await collect(objects.visit())).map(({ id, name }) => [id, name]);

  const events = (services: ServicesForTest): string[] => {
    const texts: string[] = [];
    services.objects.onChange((change, { id, name }) => texts.push(`${change} ${id} ${name}`));
    return texts;
  };

  test('has no list, name, id or watch with an unloaded module, and its handle says so', async () => {
    using modules = new FakeModules(keepsIds);
    const id = modules.load('xfs');
    const services = await setUp(modules);
    expect(await bytesOf(services, 'xfs')).toEqual(intBtf('xfs'));
    const token = await hold(services, id);
    await services.objects.look();
    const seen = events(services);
    expect(await isRemoved(services, token)).toBe(false);
    modules.unload('xfs');
    expect(modules.kernel.ids()).toEqual(keepsIds ? [1, id] : [1]);
    expect(await isRemoved(services, token)).toBe(true);
    expect(await reasonOf(async () => bytesOf(services, 'xfs'))).toBe(ErrorReason.NAME_NOT_FOUND);
    expect(await reasonOf(async () => hold(services, id))).toBe(ErrorReason.BTF_ID_NOT_FOUND);
    const byId = { case: 'id', value: id } as const;
    expect(await reasonOf(async () => services.specs.find(byId, LOADER))).toBe(ErrorReason.BTF_ID_NOT_FOUND);
    expect(await listed(services)).toEqual([[1, 'vmlinux']]);
    expect(seen).toEqual([`removed ${id} xfs`]);
    // The handle itself stays readable.
    using held = await services.specs.find({ case: 'handle', value: token }, LOADER);
    expect(held.btf.bytes).toEqual(intBtf('xfs'));
    services.handles.closeAll();
    await services.objects.look();
    expect([seen.length, modules.kernel.openCount]).toEqual([1, 0]);
  });

  test('gives the name of a module that is loaded again to the new object, which has a new id', async () => {
    using modules = new FakeModules(keepsIds);
    const first = modules.load('xfs', 'old');
    const services = await setUp(modules);
    expect(await bytesOf(services, 'xfs')).toEqual(intBtf('old'));
    const token = await hold(services, first);
    await services.objects.look();
    const seen = events(services);
    const second = modules.reload('xfs', 'new');
    expect(await bytesOf(services, 'xfs')).toEqual(intBtf('new'));
    expect(await listed(services)).toEqual([
      [1, 'vmlinux'],
      [second, 'xfs'],
    ]);
    expect(seen).toEqual([`removed ${first} xfs`, `added ${second} xfs`]);
    expect(await isRemoved(services, token)).toBe(true);
    expect(await isRemoved(services, await hold(services, second))).toBe(false);
    // The older object does not return when the newer one goes.
    modules.unload('xfs');
    expect(await reasonOf(async () => bytesOf(services, 'xfs'))).toBe(ErrorReason.NAME_NOT_FOUND);
    expect(await listed(services)).toEqual([[1, 'vmlinux']]);
    services.handles.closeAll();
  });

  test('is not mistaken about a module that was unloaded before the daemon began', async () => {
    using modules = new FakeModules(keepsIds);
    using held = { object: modules.kernel.open(modules.load('xfs', 'old')), [Symbol.dispose]() {} };
    modules.unload('xfs');
    const services = await setUp(modules);
    const seen = events(services);
    for (let i = 0; i < 3; i++) expect(await listed(services)).toEqual([[1, 'vmlinux']]);
    const id = modules.load('xfs', 'new');
    expect(await bytesOf(services, 'xfs')).toEqual(intBtf('new'));
    await services.objects.look();
    expect(seen).toEqual(['added 1 vmlinux', `added ${id} xfs`]);
    held.object.close();
  });

  test('shows a module once it has its file, which the kernel makes after the id', async () => {
    using modules = new FakeModules(keepsIds);
    const services = await setUp(modules);
    await services.objects.look();
    const seen = events(services);
    const id = modules.allocate('xfs');
    expect(await listed(services)).toEqual([[1, 'vmlinux']]);
    modules.show('xfs');
    expect(await listed(services)).toEqual([
      [1, 'vmlinux'],
      [id, 'xfs'],
    ]);
    expect(seen).toEqual([`added ${id} xfs`]);
  });
});

test('[W3] A module that comes and goes between two looks is reported if the kernel still lists its id', async () => {
  using modules = new FakeModules(true);
  const first = modules.load('xfs', 'a');
  const services = await makeServices(modules.kernel, { dir: modules.dir });
  await services.objects.look();
  const seen: string[] = [];
  services.objects.onChange((change, { id }) => seen.push(`${change} ${id}`));
  const second = modules.reload('xfs', 'b');
  const object = modules.kernel.open(second);
  const third = modules.reload('xfs', 'c');
  await services.objects.look();
  expect(seen).toEqual([`removed ${first}`, `added ${second}`, `removed ${second}`, `added ${third}`]);
  // The same without a successor: a module without a file is unloaded if the next look finds none either.
  seen.length = 0;
  const other = modules.kernel.open(modules.load('ext4'));
  modules.unload('ext4');
  await services.objects.look();
  expect(seen).toEqual([]);
  await services.objects.look();
  expect(seen).toEqual([`added ${other.info().id}`, `removed ${other.info().id}`]);
  object.close();
  other.close();
});

test('BTF that belongs to a module cannot be opened any more when the module has left', async () => {
  using modules = new FakeModules(true);
  const services = await makeServices(modules.kernel, { dir: modules.dir });
  for (const name of ['xfs', 'xfs.inline']) {
    const id = modules.load(name);
    const held = modules.kernel.open(id);
    (await openVisible(modules.kernel, services.names, id, LOADER)).object.close();
    modules.unload(name);
    await expect(openVisible(modules.kernel, services.names, id, LOADER)).rejects.toMatchObject({
      reason: ErrorReason.BTF_ID_NOT_FOUND,
    });
    held.close();
  }
});

test('Without sysfs, as in a container, the newest id of a name is the module', async () => {
  using modules = new FakeModules(true);
  const first = modules.load('xfs', 'old');
  const services = await makeServices(modules.kernel);
  const object = modules.kernel.open(first);
  const info = { ...object.info() };
  expect(await services.names.isLoaded(info)).toBe(true);
  modules.reload('xfs', 'new');
  using found = await services.specs.find({ case: 'name', value: 'xfs' }, LOADER);
  expect(found.btf.bytes).toEqual(intBtf('new'));
  expect(await services.names.isLoaded(info)).toBe(false);
  object.close();
});

test('An id that the kernel gives after the largest one is newer, although it is smaller', async () => {
  using modules = new FakeModules(true);
  modules.kernel.nextFreeId = 0x7fff_fffe;
  modules.load('xfs', 'old');
  const services = await makeServices(modules.kernel, { dir: modules.dir });
  await services.objects.look();
  const object = modules.kernel.open(0x7fff_fffe);
  modules.kernel.nextFreeId = 2;
  modules.reload('xfs', 'new');
  using found = await services.specs.find({ case: 'name', value: 'xfs' }, LOADER);
  expect([found.info.id, found.btf.bytes]).toEqual([2, intBtf('new')]);
  object.close();
});
