import { version } from 'node:os';
import { create } from '@bufbuild/protobuf';
import { BtfService, ErrorReason, ServerDetail, type GetServerInfoResponse } from '@btfd/api';
import { expect, test } from '@jest/globals';
import { intBtf } from '../testing/btf-bytes.js';
import { callBy, callerAs } from '../testing/callers.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { reasonOf } from '../testing/service-error.js';
import { makeServices } from '../testing/services.js';
import { getServerInfo } from './get-server-info.js';

const { input, output } = BtfService.method.getServerInfo;

async function setUp() {
  const kernel = new FakeKernel();
  kernel.add('vmlinux', intBtf());
  kernel.add('module', intBtf());
  const services = await makeServices(kernel);
  const rpc = getServerInfo(services);
  const ask = async (details: ServerDetail[]): Promise<GetServerInfoResponse> =>
    create(output, await rpc(create(input, { details }), callBy(callerAs('viewer'))));
  return { kernel, services, ask };
}

test('The digests are there on request only, and nothing is read without it', async () => {
  const { kernel, services, ask } = await setUp();
  expect(await ask([])).toMatchObject({ kernelDigest: new Uint8Array(), moduleCount: 0 });
  expect(kernel.reads).toBe(0);
  expect(await ask([ServerDetail.DIGESTS])).toMatchObject(await services.build.digests());
  expect(kernel.reads).toBe(2);
});

test.each([ServerDetail.UNSPECIFIED, 2])('The detail %d is refused', async (detail) => {
  const { ask } = await setUp();
  expect(await reasonOf(() => ask([ServerDetail.DIGESTS, detail]))).toBe(ErrorReason.INVALID_REQUEST);
});

test('The info names the node and the build of its kernel', async () => {
  const { ask } = await setUp();
  expect(await ask([])).toMatchObject({ nodeName: 'node-1', kernelVersion: version() });
});
