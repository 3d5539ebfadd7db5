import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { toServiceDefinition } from '@btfd/api/grpc-js';
import { BtfService } from '@btfd/api';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { DaemonProcess } from './testing/daemon-process.js';
import { until } from './testing/until.js';

const EXAMPLE = new URL('../../../examples/dist/otel.js', import.meta.url).href;
const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT_ID = '00f067aa0ba902b7';

needs('bpf').describe('With the exporter of the example', () => {
  test('the daemon’s span is in the client’s trace', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'btfd-e2e-'));
    const output = join(dir, 'spans');
    const wrapper = ['env', `NODE_OPTIONS=--import ${EXAMPLE}`, 'sh', '-c', `exec "$@" >${output}`, 'sh'];
    try {
      await using daemon = await DaemonProcess.start({ wrapper });
      const client = new Client(daemon.address, credentials.createInsecure());
      const metadata = new Metadata();
      metadata.set('traceparent', `00-${TRACE_ID}-${PARENT_ID}-01`);
      const { path, requestSerialize, responseDeserialize } = toServiceDefinition(BtfService).getServerInfo;
      await new Promise<void>((resolve, reject) => {
        const request = create(BtfService.method.getServerInfo.input);
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, (error) => {
          if (error === null) resolve();
          else reject(error);
        });
      });
      client.close();
      const spans = (): string => readFileSync(output, 'utf8');
      await until('the span is exported', () => spans().includes('btf.v1.BtfService/GetServerInfo'));
      expect(spans()).toContain(`traceId: '${TRACE_ID}'`);
      expect(spans()).toContain(`spanId: '${PARENT_ID}'`);
      expect(await daemon.end()).toBe(0);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
