import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { DaemonProcess } from './testing/daemon-process.js';
import { TestCertificates } from './testing/test-certificates.js';
import { until } from './testing/until.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const BUF = join(ROOT, 'node_modules/.bin/buf');
const PYTHON_CLIENT = fileURLToPath(new URL('../src/testing/python-client.py', import.meta.url));
/** Debian's Python, which has Debian's grpcio. */
const PYTHON = '/usr/bin/python3';
const VIEWER = 'spiffe://test/viewer';

const run = promisify(execFile);

needs('bpf').describe('clients that share no code with this project, over mutual TLS', () => {
  let certificates: TestCertificates;
  let daemon: DaemonProcess;
  let port: number;
  let cert: string;
  let key: string;

  beforeAll(async () => {
    certificates = await TestCertificates.make();
    const pair = await certificates.issueClient([VIEWER]);
    cert = join(certificates.dir, 'client.crt');
    key = join(certificates.dir, 'client.key');
    certificates.write(cert, pair.cert);
    certificates.write(key, pair.key);
    daemon = await DaemonProcess.start({ args: [...certificates.args, '--viewer', `uri:${VIEWER}`] });
    await until('the port is logged', () => daemon.tcpPort() !== null);
    port = daemon.tcpPort() ?? 0;
  });
  afterAll(async () => {
    await daemon[Symbol.asyncDispose]();
    certificates[Symbol.dispose]();
  });

  test('buf curl finds the service by reflection and calls it', async () => {
    const transport = ['--protocol', 'grpc', '--cacert', certificates.files.ca, '--cert', cert, '--key', key];
    const url = `https://localhost:${port}`;
    const services = await run(BUF, ['curl', ...transport, '--list-services', url]);
    expect(services.stdout).toContain('btf.v1.BtfService\n');
    const { stdout } = await run(BUF, ['curl', ...transport, `${url}/btf.v1.BtfService/GetServerInfo`]);
    expect(JSON.parse(stdout)).toMatchObject({ mode: 'MODE_FULL' });
    const load = run(BUF, ['curl', ...transport, '-d', '{}', `${url}/btf.v1.BtfService/LoadHandle`]);
    await expect(load).rejects.toMatchObject({
      stderr: expect.stringContaining('"code": "permission_denied"'),
    });
  });

  needs('python3-grpcio', 'python3-protobuf').test(
    'grpcio for Python calls it with classes made from the contract',
    async () => {
      const descriptors = join(certificates.dir, 'btf.binpb');
      await run(BUF, ['build', '-o', descriptors], { cwd: ROOT });
      const args = [PYTHON_CLIENT, `localhost:${port}`, descriptors, certificates.files.ca, cert, key];
      const { stdout } = await run(PYTHON, args, { timeout: 120_000 });
      const [info, objects, spec, load] = stdout
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line));
      expect(info).toEqual([expect.objectContaining({ mode: 'MODE_FULL' })]);
      expect(objects).toEqual([{ info: expect.objectContaining({ name: 'vmlinux', isKernel: true }) }]);
      expect(spec).toContainEqual({ types: { types: [expect.objectContaining({ name: 'pid_t' })] } });
      expect(load).toEqual({
        code: 'PERMISSION_DENIED',
        details: `uri:${VIEWER} has the role viewer; LoadHandle needs loader`,
      });
    },
  );
});
