import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Encoding } from '@btfd/api';
import { Builder, type Member, type TypeId } from '@btfd/btf';
import { status } from '@grpc/grpc-js';
import { DaemonProcess } from './testing/daemon-process.js';
import { failureOf, RawClient } from './testing/raw-client.js';

/** Other types, for each of which a print may take more steps: about half a second in all. */
const OTHER_TYPES = 300_000;

/** Returns BTF that prints without end: each union has the previous one twice, anonymously. */
function endlessBtf(): Uint8Array {
  const builder = new Builder({ deduplicate: false });
  const member = (name: string, typeId: TypeId): Member => ({ name, typeId, bitOffset: 0, bitfieldSize: 0 });
  const int = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  let inner = builder.add({ kind: 'UNION', size: 4, members: [member('a', int), member('b', int)] });
  for (let level = 0; level < 27; level++) {
    inner = builder.add({ kind: 'UNION', size: 4, members: [member('', inner), member('', inner)] });
  }
  for (let i = 0; i < OTHER_TYPES; i++) builder.add({ kind: 'PTR', typeId: 0 });
  builder.add({ kind: 'STRUCT', name: 'endless', size: 4, members: [member('', inner)] });
  return builder.marshal();
}

needs('bpf').describe('While a worker prints hostile BTF', () => {
  let daemon: DaemonProcess;
  let client: RawClient;

  beforeAll(async () => {
    daemon = await DaemonProcess.start();
    client = new RawClient(daemon.address);
  });
  afterAll(async () => {
    client[Symbol.dispose]();
    await daemon[Symbol.asyncDispose]();
  });

  test('small calls overtake it, and so does other work of workers', async () => {
    const { result } = await client.call('loadHandle', { source: { case: 'rawBtf', value: endlessBtf() } });
    if (result.case !== 'handle') throw new Error('no handle');
    const source = { case: 'handle', value: result.value.token } as const;
    // Now the workers are started and have read vmlinux.
    const resolve = async () =>
      client.call('resolveMembers', {
        source: { case: 'name', value: 'vmlinux' },
        paths: ['task_struct.pid'],
      });
    await Promise.all([resolve(), resolve()]);
    const order: string[] = [];
    const print = async () => {
      for await (const _ of client.stream('spec', { source, encoding: Encoding.C }));
    };
    const printing = failureOf(print()).finally(() => order.push('printed'));
    await client.call('getServerInfo', {});
    order.push('info');
    await resolve();
    order.push('resolved');
    expect((await printing).code).toBe(status.RESOURCE_EXHAUSTED);
    expect(order).toEqual(['info', 'resolved', 'printed']);
  });
});
