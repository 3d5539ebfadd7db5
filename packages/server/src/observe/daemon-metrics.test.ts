import { describe, expect, test } from '@jest/globals';
import { intBtf } from '../testing/btf-bytes.js';
import { bpfError, FakeKernel } from '../testing/fake-kernel.js';
import { makeServices } from '../testing/services.js';
import { NO_SOURCES } from '../testing/metric-sources.js';
import { DaemonMetrics } from './daemon-metrics.js';

describe('The digest in btfd_build_info', () => {
  async function setUp() {
    const kernel = new FakeKernel();
    kernel.add('vmlinux', intBtf());
    const services = await makeServices(kernel);
    const metrics = new DaemonMetrics();
    const digest = async (): Promise<string | undefined> =>
      /^btfd_build_info\{.*kernel_digest="([^"]*)".*\} 1$/m.exec(await metrics.registry.text())?.[1];
    return { kernel, services, metrics, digest };
  }

  test('is empty until the daemon serves, and then that of the kernel', async () => {
    const { kernel, services, metrics, digest } = await setUp();
    expect(await digest()).toBe('');
    metrics.read(services, NO_SOURCES);
    const expected = Buffer.from(await services.build.kernelDigest()).toString('hex');
    expect(expected).toHaveLength(64);
    expect([await digest(), await digest()]).toEqual([expected, expected]);
    expect(kernel.reads).toBe(1);
  });

  test('stays the last one when the kernel can no longer be read', async () => {
    const { kernel, services, metrics, digest } = await setUp();
    metrics.read(services, NO_SOURCES);
    const before = await digest();
    kernel.failures.open = bpfError('BPF_BTF_GET_FD_BY_ID', 'EPERM');
    expect(await digest()).toBe(before);
  });

  test('does not keep other metrics waiting for a file system that hangs', async () => {
    const { services, metrics, digest } = await setUp();
    services.build.kernelDigest = async () => new Promise(() => {});
    metrics.read(services, NO_SOURCES);
    expect(await digest()).toBe('');
  });
});
