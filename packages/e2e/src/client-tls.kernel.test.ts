import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { BtfClient, BtfError, type BtfClientOptions } from '@btfd/client';
import { DaemonProcess } from './testing/daemon-process.js';
import { intBtf } from './testing/sample-btf.js';
import { TestCertificates } from './testing/test-certificates.js';
import { until } from './testing/until.js';

const VIEWER = 'spiffe://test/viewer';
const LOADER = 'spiffe://test/loader';

needs('bpf').describe('BtfClient over mutual TLS', () => {
  let certificates: TestCertificates;
  let daemon: DaemonProcess;
  let ca: Buffer;

  beforeAll(async () => {
    certificates = await TestCertificates.make();
    ca = readFileSync(certificates.files.ca);
    const roles = ['--viewer', `uri:${VIEWER}`, '--loader', `uri:${LOADER}`];
    daemon = await DaemonProcess.start({ args: [...certificates.args, ...roles] });
    await until('the port is logged', () => daemon.tcpPort() !== null);
  });

  afterAll(async () => {
    await daemon?.[Symbol.asyncDispose]();
    certificates?.[Symbol.dispose]();
  });

  function client(tls: BtfClientOptions['tls']): BtfClient {
    return new BtfClient(`localhost:${daemon.tcpPort()}`, { tls });
  }

  async function reasonOf(call: Promise<unknown>): Promise<string | null> {
    try {
      await call;
    } catch (error) {
      return BtfError.from(error).reason;
    }
    throw new Error('the call succeeded');
  }

  test('reads specs as a viewer, but may not load', async () => {
    await using viewer = client({ ca, ...(await certificates.issueClient([VIEWER])) });
    expect((await viewer.spec('vmlinux')).typesByName('list_head').length).toBeGreaterThan(0);
    expect(await reasonOf(viewer.loadHandle(intBtf(1, 'no')))).toBe('ROLE_FORBIDS');
  });

  test('loads as a loader', async () => {
    await using loader = client({ ca, ...(await certificates.issueClient([LOADER])) });
    await using handle = await loader.loadHandle(intBtf(1, 'mine'));
    expect(handle.info.origin).toBe('user');
  });

  test('fails with UNAUTHENTICATED without a certificate', async () => {
    await using nobody = client({ ca });
    expect(await reasonOf(nobody.serverInfo())).toBe('UNAUTHENTICATED');
  });

  test('does not trust a daemon with a certificate of another authority', async () => {
    using others = await TestCertificates.make();
    await using wary = new BtfClient(`localhost:${daemon.tcpPort()}`, {
      tls: { ca: readFileSync(others.files.ca), ...(await certificates.issueClient([VIEWER])) },
      retries: 0,
    });
    expect(await reasonOf(wary.serverInfo())).toBe('UNREACHABLE');
  });
});
