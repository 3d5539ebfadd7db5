import { create } from '@bufbuild/protobuf';
import {
  BtfService,
  CheckObjectRequestSchema,
  ErrorReason,
  InfoDetail,
  IterateHandlesRequestSchema,
  IterateHandlesResponseSchema,
  Origin,
  SpecRequestSchema,
} from '@btfd/api';
import { describe, expect, test } from '@jest/globals';
import type { RpcCall } from '../grpc/rpc.js';
import { intBtf } from '../testing/btf-bytes.js';
import { callBy, callerAs } from '../testing/callers.js';
import { collect } from '../testing/collect.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { failureOf } from '../testing/service-error.js';
import { makeServices } from '../testing/services.js';
import { checkObject } from './check-object.js';
import { getHandleById } from './get-handle-by-id.js';
import { iterateHandles } from './iterate-handles.js';
import { resolveMembers } from './resolve-members.js';
import { spec } from './spec.js';

const VIEWER = callBy(callerAs('viewer'));
const INSPECTOR = callBy(callerAs('inspector'));

async function setUp() {
  const kernel = new FakeKernel();
  kernel.add('vmlinux', intBtf());
  const users = kernel.addUsers(intBtf());
  return { kernel, users, services: await makeServices(kernel) };
}

describe('A user’s object', () => {
  test.each([true, false])('is listed for inspectors, not for viewers; with hold: %s', async (hold) => {
    const { kernel, users, services } = await setUp();
    const idsFor = async (call: RpcCall): Promise<number[]> => {
      const ids: number[] = [];
      const request = create(IterateHandlesRequestSchema, { hold });
      for await (const init of iterateHandles(services)(request, call)) {
        const { info, handle } = create(IterateHandlesResponseSchema, init);
        ids.push(info?.id ?? 0);
        if (handle !== undefined) services.handles.close(handle.token);
      }
      return ids;
    };
    expect([await idsFor(VIEWER), await idsFor(INSPECTOR)]).toEqual([[1], [1, users]]);
    expect(kernel.openCount).toBe(0);
  });

  const { method } = BtfService;
  test.each<[string, (services: Awaited<ReturnType<typeof setUp>>['services'], id: number) => unknown]>([
    [
      'GetHandleById',
      (services, id) => getHandleById(services)(create(method.getHandleById.input, { id }), VIEWER),
    ],
    [
      'Spec',
      async (services, id) =>
        collect(spec(services)(create(SpecRequestSchema, { source: { case: 'id', value: id } }), VIEWER)),
    ],
    [
      'ResolveMembers',
      (services, id) => {
        const input = create(method.resolveMembers.input, {
          source: { case: 'id', value: id },
          paths: ['a.b'],
        });
        return resolveMembers(services)(input, VIEWER);
      },
    ],
    [
      'CheckObject, as the kernel',
      async (services, id) => {
        const kernel = { source: { case: 'id', value: id } } as const;
        const request = create(CheckObjectRequestSchema, { object: Uint8Array.of(1), kernel });
        return collect(checkObject(services)(request, VIEWER));
      },
    ],
    [
      'IterateHandles, if its origin is named',
      async (services) => {
        const request = create(IterateHandlesRequestSchema, { origins: [Origin.MODULE, Origin.USER] });
        return collect(iterateHandles(services)(request, VIEWER));
      },
    ],
    [
      'IterateHandles, if users are requested',
      async (services) => {
        const request = create(IterateHandlesRequestSchema, { details: [InfoDetail.USERS] });
        return collect(iterateHandles(services)(request, VIEWER));
      },
    ],
  ])('is forbidden to viewers in %s, and nothing stays open', async (_, call) => {
    const { kernel, users, services } = await setUp();
    const error = await failureOf(() => call(services, users));
    expect([error.reason, error.metadata]).toEqual([
      ErrorReason.ROLE_FORBIDS,
      { principal: 'uid:1000', role: 'viewer', needed_role: 'inspector' },
    ]);
    expect([kernel.openCount, services.handles.size]).toEqual([0, 0]);
  });
});
