import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { btfIds, btfList } from './testing/bpftool.js';
import { DaemonProcess } from './testing/daemon-process.js';

const BUF = fileURLToPath(new URL('../../../node_modules/.bin/buf', import.meta.url));
const SERVICE = 'http://localhost/btf.v1.BtfService';

/** A client that shares no code with this project and learns the service only from reflection. */
needs('bpf').describe('buf curl', () => {
  let daemon: DaemonProcess;

  beforeAll(async () => {
    daemon = await DaemonProcess.start();
  });
  afterAll(async () => {
    await daemon[Symbol.asyncDispose]();
  });

  async function curl(...args: readonly string[]): Promise<string> {
    const transport = ['--protocol', 'grpc', '--http2-prior-knowledge', '--unix-socket', daemon.socket];
    const { stdout } = await promisify(execFile)(BUF, ['curl', ...transport, ...args], {
      maxBuffer: 1 << 28,
    });
    return stdout;
  }

  /** Splits the output of a stream into its messages, which are concatenated JSON objects. */
  function messages(text: string): unknown[] {
    return JSON.parse(`[${text.replaceAll(/^\}\n\{$/gm, '},{')}]`);
  }

  test('finds the services by reflection', async () => {
    const services = await curl('--list-services', 'http://localhost');
    expect(services.split('\n').filter((line) => line !== '')).toEqual([
      'btf.v1.BtfService',
      'grpc.health.v1.Health',
    ]);
  });

  test.each(['', 'btf.v1.BtfService'])('asks whether %j is served', async (service) => {
    const answer = await curl(
      '-d',
      JSON.stringify({ service }),
      'http://localhost/grpc.health.v1.Health/Check',
    );
    expect(JSON.parse(answer)).toEqual({ status: 'SERVING' });
  });

  needs('bpftool').test('lists objects', async () => {
    const before = new Set(btfIds());
    const answers = messages(await curl(`${SERVICE}/IterateHandles`));
    // Other processes may load and close BTF meanwhile.
    const stable = btfList().filter(({ id }) => before.has(id));
    expect(answers).toEqual(
      expect.arrayContaining(
        stable.map(({ id, size, name }) => ({
          info: expect.objectContaining({ id, size, ...(name === undefined ? {} : { name }) }),
        })),
      ),
    );
  });

  test('streams a spec', async () => {
    const answers = messages(await curl('-d', '{"name": "vmlinux"}', `${SERVICE}/Spec`));
    const [first, ...chunks] = answers;
    expect(first).toMatchObject({
      header: { info: { name: 'vmlinux' }, byteOrder: 'BYTE_ORDER_LITTLE_ENDIAN' },
    });
    const bytes = chunks.map((chunk) => Buffer.from((chunk as { raw: string }).raw, 'base64'));
    const size = bytes.reduce((sum, { length }) => sum + length, 0);
    expect((first as { header: { rawSize: number } }).header.rawSize).toBe(size);
  });
});
