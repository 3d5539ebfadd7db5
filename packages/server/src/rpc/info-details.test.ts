import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import {
  BtfService,
  ErrorReason,
  GetHandleInfoResponseSchema,
  InfoDetail,
  IterateHandlesResponseSchema,
  type HandleInfo,
} from '@btfd/api';
import { getHandleInfo } from './get-handle-info.js';
import { iterateHandles } from './iterate-handles.js';
import { intBtf } from '../testing/btf-bytes.js';
import { collect } from '../testing/collect.js';
import { bpfError, FakeKernel } from '../testing/fake-kernel.js';
import { FakeProc } from '../testing/fake-proc.js';
import { makeServices, type ServicesForTest } from '../testing/services.js';
import { failureOf, reasonOf } from '../testing/service-error.js';
import { TempDir } from '../testing/temp-dir.js';
import { callBy, LOADER } from '../testing/callers.js';

const { DIGEST, USERS, UNSPECIFIED } = InfoDetail;
const UNKNOWN: number = 99;

const sha256 = async (bytes: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes.slice().buffer));

async function* iterate(
  services: ServicesForTest,
  details: InfoDetail[],
  hold = false,
): AsyncGenerator<{ info: HandleInfo | undefined; token: string; held: HandleInfo | undefined }> {
  const request = create(BtfService.method.iterateHandles.input, { details, hold });
  for await (const init of iterateHandles(services)(request, callBy())) {
    const { info, handle } = create(IterateHandlesResponseSchema, init);
    yield { info, token: handle?.token ?? '', held: handle?.info };
  }
}

async function listed(services: ServicesForTest, details: InfoDetail[]): Promise<(HandleInfo | undefined)[]> {
  return (await collect(iterate(services, details))).map(({ info }) => info);
}

async function infoOf(
  services: ServicesForTest,
  token: string,
  details: InfoDetail[],
): Promise<HandleInfo | undefined> {
  const request = create(BtfService.method.getHandleInfo.input, { token, details });
  const answer = await getHandleInfo(services)(request, callBy());
  return create(GetHandleInfoResponseSchema, answer).handle?.info;
}

/** Opens a handle on the object with an id. */
function openHandle({ kernel, handles }: ServicesForTest, id: number): string {
  const object = kernel.open(id);
  return handles.grant(LOADER, object, object.info(), 60_000).token;
}

/** vmlinux with the id 1, which has no users, and a user's object with the id 2, which has all kinds of users. */
function kernelOfTwo(): FakeKernel {
  const kernel = new FakeKernel();
  kernel.add('vmlinux', intBtf('vmlinux'));
  const id = kernel.addUsers(intBtf('user'));
  kernel.programs.add('prog', id);
  kernel.maps.add('map', id);
  return kernel;
}

const USERS_OF_TWO = {
  programs: [{ id: 1, name: 'prog' }],
  maps: [{ id: 1, name: 'map' }],
  processes: [{ pid: 20, command: 'holder' }],
};
const NOBODY = { programs: [], maps: [], processes: [] };

describe('Details of an object’s info', () => {
  test('are returned on request only', async () => {
    const kernel = kernelOfTwo();
    const services = await makeServices(kernel);
    for (const info of [
      ...(await listed(services, [])),
      await infoOf(services, openHandle(services, 2), []),
    ]) {
      expect([info?.digest.length, info?.users]).toEqual([0, undefined]);
    }
    expect([kernel.reads, kernel.programs.walks]).toEqual([0, 0]);
  });

  test('are returned by GetHandleInfo', async () => {
    using proc = new FakeProc();
    proc.add(20, 'holder', 2);
    const services = await makeServices(kernelOfTwo(), { procDir: proc.path });
    const [vmlinux, user] = [openHandle(services, 1), openHandle(services, 2)];
    expect((await infoOf(services, user, [USERS, DIGEST]))?.users).toMatchObject(USERS_OF_TWO);
    expect((await infoOf(services, vmlinux, [USERS]))?.users).toMatchObject(NOBODY);
    expect((await infoOf(services, user, [DIGEST]))?.digest).toEqual(await sha256(intBtf('user')));
  });

  test.each([
    ['without', false],
    ['with', true],
  ])('are returned by IterateHandles %s hold, after one scan for all users', async (_, holds) => {
    using proc = new FakeProc();
    proc.add(20, 'holder', 2);
    const kernel = kernelOfTwo();
    const services = await makeServices(kernel, { procDir: proc.path });
    const messages: HandleInfo[] = [];
    for await (const { info, token, held } of iterate(services, [DIGEST, USERS], holds)) {
      if (info !== undefined) messages.push(info);
      expect(held).toEqual(holds ? info : undefined);
      services.handles.close(token);
    }
    expect(messages.map(({ users }) => users)).toMatchObject([NOBODY, USERS_OF_TWO]);
    const digests = await Promise.all(['vmlinux', 'user'].map((name) => sha256(intBtf(name))));
    expect(messages.map(({ digest }) => digest)).toEqual(digests);
    expect([kernel.programs.walks, kernel.openCount]).toEqual([1, 0]);
  });

  test.each<[string, InfoDetail[], string]>([
    ['is not set', [UNSPECIFIED], 'details[0]'],
    ['is unknown, after a known one', [USERS, UNKNOWN], 'details[1]'],
  ])('are refused with a detail that %s', async (_, details, field) => {
    const kernel = kernelOfTwo();
    const services = await makeServices(kernel);
    for (const call of [
      () => listed(services, details),
      () => infoOf(services, openHandle(services, 2), details),
    ]) {
      const { reason, violations } = await failureOf(call);
      expect([reason, violations.map((violation) => violation.field)]).toEqual([
        ErrorReason.INVALID_REQUEST,
        [field],
      ]);
    }
    expect(kernel.programs.walks).toBe(0);
  });
});

describe('Users', () => {
  test('are refused if the daemon cannot list ids', async () => {
    const kernel = kernelOfTwo();
    kernel.failures.nextId = bpfError('BPF_BTF_GET_NEXT_ID', 'EPERM');
    const services = await makeServices(kernel);
    const held = openHandle(services, 2);
    for (const call of [() => listed(services, [USERS]), () => infoOf(services, held, [USERS])]) {
      expect(await reasonOf(call)).toBe(ErrorReason.DAEMON_LACKS_CAPABILITY);
    }
    expect(kernel.programs.walks).toBe(0);
  });

  test('that cannot be found fail the call, and nothing stays open', async () => {
    const kernel = kernelOfTwo();
    const services = await makeServices(kernel);
    kernel.programs.failure = bpfError('BPF_PROG_GET_NEXT_ID', 'ENOMEM');
    await expect(listed(services, [USERS])).rejects.toThrow('ENOMEM');
    expect(kernel.openCount).toBe(0);
  });
});

describe('A digest', () => {
  test('is read once for an object', async () => {
    const kernel = kernelOfTwo();
    const services = await makeServices(kernel);
    const [first, second] = [await listed(services, [DIGEST]), await listed(services, [DIGEST])];
    expect(first).toEqual(second);
    expect(kernel.reads).toBe(2);
  });

  test('is that of each object if several have left the kernel’s list', async () => {
    const kernel = new FakeKernel();
    const services = await makeServices(kernel);
    const names = ['one', 'two'];
    const digests = names.map(async (name) => {
      const id = kernel.add(name, intBtf(name));
      const object = kernel.open(id);
      kernel.remove(id);
      const { token } = services.handles.grant(LOADER, object, object.info(), 60_000);
      return (await infoOf(services, token, [DIGEST]))?.digest;
    });
    expect(await Promise.all(digests)).toEqual(await Promise.all(names.map((name) => sha256(intBtf(name)))));
  });

  test('of a handle that is closed meanwhile is not returned: the handle is gone', async () => {
    const kernel = kernelOfTwo();
    const services = await makeServices(kernel);
    const token = openHandle(services, 2);
    const info = reasonOf(() => infoOf(services, token, [DIGEST]));
    expect(services.handles.close(token)).toBe(true);
    expect(await info).toBe(ErrorReason.HANDLE_NOT_FOUND);
    expect([kernel.reads, kernel.openCount]).toEqual([1, 0]);
  });

  test.each([false, true])(
    'that cannot be read fails the iteration, and nothing stays open (hold: %s)',
    async (holds) => {
      const kernel = kernelOfTwo();
      const services = await makeServices(kernel);
      kernel.failures.read = bpfError('BPF_OBJ_GET_INFO_BY_FD', 'ENOMEM');
      await expect(collect(iterate(services, [DIGEST], holds))).rejects.toThrow('ENOMEM');
      expect([kernel.openCount, services.handles.size]).toEqual([0, 0]);
    },
  );

  test('of a file is that of its bytes now, even if they are not BTF; a file that is gone is skipped', async () => {
    using dir = new TempDir();
    for (const name of ['vmlinux', 'a', 'b', 'c']) dir.write(name, name);
    const services = await makeServices(new FakeKernel(), { dir: dir.path, filesOnly: true });
    const infos: (readonly [string | undefined, Uint8Array | undefined])[] = [];
    for await (const { info } of iterate(services, [DIGEST])) {
      infos.push([info?.name, info?.digest]);
      if (info?.name === 'a') unlinkSync(join(dir.path, 'b'));
      if (info?.name === 'vmlinux') dir.write('c', 'new');
    }
    const contents = { vmlinux: 'vmlinux', a: 'a', c: 'new' };
    expect(infos).toEqual(
      await Promise.all(
        Object.entries(contents).map(async ([name, content]) => [
          name,
          await sha256(new TextEncoder().encode(content)),
        ]),
      ),
    );
  });
});
