import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { BtfService, ErrorReason, InfoDetail, IterateHandlesRequestSchema, Mode, Operation } from '@btfd/api';
import { intBtf } from '../testing/btf-bytes.js';
import { callBy, LOADER } from '../testing/callers.js';
import { collect } from '../testing/collect.js';
import { bpfError, FakeKernel } from '../testing/fake-kernel.js';
import { reasonOf } from '../testing/service-error.js';
import { makeServices, type ServicesForTest } from '../testing/services.js';
import { TempDir } from '../testing/temp-dir.js';
import { getServerInfo } from './get-server-info.js';
import { iterateHandles } from './iterate-handles.js';

/** A kernel that opens by id, as with a BPF token, with vmlinux and a module. */
async function setUp(dir: TempDir): Promise<{ services: ServicesForTest; vmlinux: number; xfs: number }> {
  dir.write('vmlinux', intBtf());
  dir.write('xfs', intBtf('xfs'));
  const kernel = new FakeKernel();
  kernel.failures.nextId = bpfError('BPF_BTF_GET_NEXT_ID', 'EPERM');
  const [vmlinux, xfs] = [kernel.add('vmlinux', intBtf()), kernel.add('xfs', intBtf('xfs'))];
  return { services: await makeServices(kernel, { dir: dir.path }), vmlinux, xfs };
}

describe('A daemon that opens objects by id and cannot list them', () => {
  test('says so', async () => {
    using dir = new TempDir();
    const { services } = await setUp(dir);
    const { method } = BtfService;
    const init = await getServerInfo(services)(create(method.getServerInfo.input), callBy());
    const { mode, operations } = create(method.getServerInfo.output, init);
    expect(mode).toBe(Mode.LOAD_AND_FILES);
    expect(operations.filter(({ available }) => !available)).toMatchObject([
      { operation: Operation.LIST_IDS, reason: expect.stringContaining('BPF_BTF_GET_NEXT_ID') },
      { operation: Operation.HOLD_KERNEL, reason: expect.stringContaining('BPF_BTF_GET_NEXT_ID') },
    ]);
  });

  test('serves the kernel and its modules by id, until the file of a module is gone', async () => {
    using dir = new TempDir();
    const { services, vmlinux, xfs } = await setUp(dir);
    const find = async (value: number) => {
      using found = await services.specs.find({ case: 'id', value }, LOADER);
      return found.info.name;
    };
    expect([await find(vmlinux), await find(xfs)]).toEqual(['vmlinux', 'xfs']);
    // As Linux 6.16 does, the kernel keeps the id while somebody holds the object.
    unlinkSync(join(dir.path, 'xfs'));
    expect(await reasonOf(async () => find(xfs))).toBe(ErrorReason.BTF_ID_NOT_FOUND);
  });

  test('refuses what needs a list: to hold what it iterates over, to begin at an id, and users', async () => {
    using dir = new TempDir();
    const { services } = await setUp(dir);
    const iterate = async (init: Parameters<typeof create<typeof IterateHandlesRequestSchema>>[1]) =>
      collect(iterateHandles(services)(create(IterateHandlesRequestSchema, init), callBy()));
    for (const request of [{ hold: true }, { afterId: 1 }, { details: [InfoDetail.USERS] }]) {
      expect(await reasonOf(async () => iterate(request))).toBe(ErrorReason.DAEMON_LACKS_CAPABILITY);
    }
    expect((await iterate({})).map(({ info }) => info?.name)).toEqual(['vmlinux', 'xfs']);
  });
});
