import { BpfError, btfLoad } from '@btfd/native';
import { BtfClient } from '@btfd/client';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { ADAPT_SHAPES } from './testing/adapt-shapes.js';
import { DaemonProcess } from './testing/daemon-process.js';

/** Whether the kernel accepts BTF as it is. */
async function isAccepted(bytes: Uint8Array): Promise<boolean> {
  try {
    (await btfLoad(bytes, 0)).close();
    return true;
  } catch (error) {
    if (error instanceof BpfError && ['EINVAL', 'E2BIG'].includes(error.code)) return false;
    throw error;
  }
}

needs('bpf').describe('adapt_to_kernel', () => {
  let daemon: DaemonProcess;
  let client: BtfClient;

  beforeAll(async () => {
    daemon = await DaemonProcess.start();
    client = new BtfClient(daemon.address);
  });
  afterAll(async () => {
    await client.close();
    await daemon[Symbol.asyncDispose]();
  });

  test.each([...ADAPT_SHAPES])('makes the running kernel accept %s', async (_, bytes) => {
    const result = await client.tryLoadHandle(bytes, { adaptToKernel: true });
    expect(result.rejection).toBeNull();
    await result.handle?.close();
  });

  test('is not needed exactly for the features that GetServerInfo reports', async () => {
    const { features, kernelFeatures } = await client.serverInfo();
    expect(features.length).toBeGreaterThan(20);
    const probed = new Map<string, unknown>(Object.entries(kernelFeatures));
    for (const [name, bytes] of ADAPT_SHAPES) {
      if (name === 'all of them') continue;
      expect([name, await isAccepted(bytes)]).toEqual([name, probed.get(name)]);
    }
  });
});
