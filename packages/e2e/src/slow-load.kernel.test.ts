import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Builder } from '@btfd/btf';
import { status } from '@grpc/grpc-js';
import { btfIds } from './testing/bpftool.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { describeKernel } from './testing/describe-kernel.js';
import { errorInfoOf, failureOf, RawClient } from './testing/raw-client.js';
import { intBtf } from './testing/sample-btf.js';

/**
 * BTF whose check takes the kernel time that grows with the square of `count`: for each struct with a list head it
 * searches all types for the tag that says what the list contains. 8,000 take about a second.
 */
function slowBtf(count: number): Uint8Array {
  const builder = new Builder({ deduplicate: false });
  const member = (name: string, typeId: number, bitOffset: number) => ({
    name,
    typeId,
    bitOffset,
    bitfieldSize: 0,
  });
  const int = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  const lock = builder.add({
    kind: 'STRUCT',
    name: 'bpf_spin_lock',
    size: 4,
    members: [member('val', int, 0)],
  });
  const head = builder.add({ kind: 'STRUCT', name: 'bpf_list_head', size: 16, members: [] });
  const node = builder.add({ kind: 'STRUCT', name: 'bpf_list_node', size: 24, members: [] });
  builder.add({ kind: 'STRUCT', name: 'element', size: 24, members: [member('node', node, 0)] });
  const members = [member('head', head, 0), member('lock', lock, 128)];
  const lists = Array.from({ length: count }, () => builder.add({ kind: 'STRUCT', size: 24, members }));
  for (const typeId of lists) {
    builder.add({
      kind: 'DECL_TAG',
      name: 'contains:element:node',
      typeId,
      componentIdx: 0,
      attribute: false,
    });
  }
  return builder.marshal();
}

describeKernel('While the kernel checks a load for long', () => {
  const source = { case: 'rawBtf', value: slowBtf(8_000) } as const;
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

  test('other calls go on', async () => {
    let done = false;
    const slow = client.call('loadHandle', { source }).finally(() => (done = true));
    await client.call('getServerInfo', {});
    for await (const answer of client.stream('iterateHandles', {})) expect(answer.info).toBeDefined();
    expect(done).toBe(false);
    const { result } = await slow;
    await client.call('closeHandles', { tokens: [result.case === 'handle' ? result.value.token : ''] });
  }, 60_000);

  test('loads that were given up while they waited cost the kernel nothing', async () => {
    const first = client.call('loadHandle', { source });
    const givenUp = Array.from({ length: 20 }, () =>
      failureOf(client.call('loadHandle', { source }, { deadline: Date.now() + 300 })),
    );
    expect((await Promise.all(givenUp)).map(({ code }) => code)).toEqual(
      givenUp.map(() => status.DEADLINE_EXCEEDED),
    );
    const started = performance.now();
    await first;
    const one = performance.now() - started;
    const small = await client.call('loadHandle', { source: { case: 'rawBtf', value: intBtf(1, 'small') } });
    // Twenty more would have taken twenty times as long.
    expect(performance.now() - started).toBeLessThan(Math.max(5 * one, 5_000));
    expect(small.result.case).toBe('handle');
  }, 60_000);

  test('what waits is bounded', async () => {
    const calls = Array.from({ length: 60 }, () =>
      client.call('loadHandle', { source }, { deadline: Date.now() + 1_500 }).then(
        () => 'loaded',
        (error: unknown) => error,
      ),
    );
    const refused = (await Promise.all(calls)).filter(
      (error) => error instanceof Error && 'code' in error && error.code === status.RESOURCE_EXHAUSTED,
    );
    expect(refused.length).toBeGreaterThan(0);
    const error = await failureOf(Promise.reject(refused[0]));
    expect(errorInfoOf(error).reason).toBe('LOAD_QUEUE_FULL');
  }, 60_000);

  test('SIGTERM ends the daemon once that load has ended, and drops what waits', async () => {
    await using other = await DaemonProcess.start();
    using otherClient = new RawClient(other.address);
    const ends = Array.from({ length: 10 }, () =>
      failureOf(otherClient.call('loadHandle', { source })).catch(() => null),
    );
    const before = btfIds();
    const { daemonEpoch } = await otherClient.call('getServerInfo', {});
    expect(daemonEpoch).not.toBe('');
    expect(await other.end('SIGTERM')).toBe(0);
    const codes = (await Promise.all(ends)).flatMap((error) => (error === null ? [] : [error.code]));
    expect(new Set(codes)).toEqual(new Set([status.UNAVAILABLE]));
    expect(codes.length).toBeGreaterThanOrEqual(9);
    expect(btfIds().filter((id) => !before.includes(id))).toEqual([]);
  }, 60_000);
});
