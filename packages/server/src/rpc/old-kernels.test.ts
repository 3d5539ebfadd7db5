import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import {
  BtfService,
  ErrorReason,
  IterateHandlesRequestSchema,
  IterateHandlesResponseSchema,
  Operation,
  Origin,
} from '@btfd/api';
import { intBtf } from '../testing/btf-bytes.js';
import { callBy, LOADER } from '../testing/callers.js';
import { collect } from '../testing/collect.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { failureOf } from '../testing/service-error.js';
import { makeServices, type ServicesForTest } from '../testing/services.js';
import { TempDir } from '../testing/temp-dir.js';
import { getServerInfo } from './get-server-info.js';
import { iterateHandles } from './iterate-handles.js';

const VMLINUX = intBtf('vmlinux');

/** Returns the operations that do not work, with their reasons. */
async function unavailable(services: ServicesForTest): Promise<[Operation, string][]> {
  const { method } = BtfService;
  const init = await getServerInfo(services)(create(method.getServerInfo.input), callBy());
  return create(method.getServerInfo.output, init).operations.flatMap(({ operation, available, reason }) =>
    available ? [] : [[operation, reason] as [Operation, string]],
  );
}

const findNamed = async ({ specs }: ServicesForTest, name: string) =>
  specs.find({ case: 'name', value: name }, LOADER);

describe('A kernel before 5.11, whose own BTF has no id,', () => {
  async function setUp(dir: TempDir): Promise<ServicesForTest> {
    dir.write('vmlinux', VMLINUX);
    const kernel = new FakeKernel();
    kernel.addUsers(intBtf('u'));
    const services = await makeServices(kernel, { dir: dir.path });
    await services.objects.look();
    return services;
  }

  test('cannot have it held, and GetServerInfo says why', async () => {
    using dir = new TempDir();
    const services = await setUp(dir);
    expect(await unavailable(services)).toEqual([
      [Operation.HOLD_KERNEL, expect.stringMatching(/no id, as before Linux 5\.11/)],
    ]);
    // It may get one, for example if the daemon lacks CAP_BPF to make the kernel parse it.
    const id = services.kernel.add('vmlinux', VMLINUX);
    await services.objects.look();
    expect(await unavailable(services)).toEqual([]);
    using found = await findNamed(services, 'vmlinux');
    expect(found.info.id).toBe(id);
  });

  test('sends vmlinux without a handle, and holds users’ objects', async () => {
    using dir = new TempDir();
    const services = await setUp(dir);
    const request = create(IterateHandlesRequestSchema, { hold: true });
    const seen: [string | undefined, boolean][] = [];
    for await (const init of iterateHandles(services)(request, callBy())) {
      const { info, handle } = create(IterateHandlesResponseSchema, init);
      seen.push([info?.name, handle !== undefined]);
      if (handle !== undefined) services.handles.close(handle.token);
    }
    expect(seen).toEqual([
      ['vmlinux', false],
      ['', true],
    ]);
    const origins = [Origin.VMLINUX];
    const only = create(IterateHandlesRequestSchema, { hold: true, origins });
    expect(await collect(iterateHandles(services)(only, callBy()))).toHaveLength(1);
    expect(services.kernel.openCount).toBe(0);
  });

  test('serves vmlinux by name with one look at the ids, and says that modules have no BTF', async () => {
    using dir = new TempDir();
    const services = await setUp(dir);
    using first = await findNamed(services, 'vmlinux');
    expect([first.info.id, first.btf.bytes]).toEqual([0, VMLINUX]);
    const { nexts } = services.kernel;
    using _ = await findNamed(services, 'vmlinux');
    expect(services.kernel.nexts).toBe(nexts);
    const error = await failureOf(async () => findNamed(services, 'xfs'));
    expect(error.reason).toBe(ErrorReason.NAME_NOT_FOUND);
    expect(error.message).toBe(
      'the kernel has no BTF object named "xfs": before Linux 5.11 modules have no BTF',
    );
  });
});

test('A kernel without BTF says so for each name, and for what it cannot do', async () => {
  using dir = new TempDir();
  const kernel = new FakeKernel();
  kernel.addUsers(intBtf('u'));
  const services = await makeServices(kernel, { dir: dir.path });
  const reason = expect.stringContaining('built without BTF');
  expect(await unavailable(services)).toEqual([
    [Operation.SPEC_BY_NAME, reason],
    [Operation.HOLD_KERNEL, reason],
  ]);
  for (const name of ['vmlinux', 'xfs']) {
    const error = await failureOf(async () => findNamed(services, name));
    expect([error.reason, error.message]).toEqual([ErrorReason.KERNEL_WITHOUT_BTF, reason]);
  }
  expect(await services.specs.vmlinux()).toBeNull();
});
