import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, constants } from 'node:http2';
import { createConnection } from 'node:net';
import { machine } from 'node:os';
import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Client, credentials } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { DaemonProcess } from './testing/daemon-process.js';
import { failureOf, RawClient } from './testing/raw-client.js';
import { intBtf, refusedBtf } from './testing/sample-btf.js';
import { Scrape } from './testing/scrape.js';
import { until } from './testing/until.js';

const METRICS = ['--metrics-listen', '127.0.0.1:0', '--log-format', 'json', '--log-level', 'debug'];
/** A text that no log or metric has for another reason. */
const SECRET = 'btf_bytes_in_no_log';

/** Makes calls of many kinds and returns every token that it received. */
async function callMuch(client: RawClient): Promise<string[]> {
  const tokens: string[] = [];
  const load = (bytes: Uint8Array, more: object = {}) =>
    client.call('loadHandle', { source: { case: 'rawBtf', value: bytes }, ...more });
  for (let i = 0; i < 3; i++) await client.call('getServerInfo', {});
  for (let i = 0; i < 2; i++) {
    const { result } = await load(intBtf(3, SECRET));
    if (result.case === 'handle') tokens.push(result.value.token);
  }
  await failureOf(load(refusedBtf(3, SECRET)));
  await load(refusedBtf(3, SECRET), { reportRejection: true });
  await failureOf(load(new Uint8Array()));
  await failureOf(client.call('getHandleById', { id: 0x7fff_fff0 }));
  await failureOf(client.call('getHandleInfo', { token: SECRET }));
  const { handle } = await client.call('cloneHandle', { token: tokens[0] ?? '' });
  tokens.push(handle?.token ?? '');
  for (let i = 0; i < 2; i++) {
    for await (const _ of client.stream('spec', { source: { case: 'name', value: 'vmlinux' } })) void _;
  }
  const iteration = client.stream('iterateHandles', { hold: true });
  iteration.on('error', () => {});
  for await (const { handle: held } of iteration) {
    tokens.push(held?.token ?? '');
    if (tokens.length === 5) {
      await client.call('takeHandle', { token: held?.token ?? '' });
      break;
    }
    await client.call('closeHandles', { tokens: [held?.token ?? ''] });
  }
  iteration.cancel();
  await client.call('renewHandles', { tokens });
  return tokens;
}

async function checkHealth(address: string): Promise<void> {
  const { Check } = healthService;
  if (Check === undefined) throw new Error('no Check');
  const { path, requestSerialize, responseDeserialize } = Check;
  const client = new Client(address, credentials.createInsecure());
  await new Promise<void>((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service: '' }, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
  client.close();
}

interface Line {
  readonly [key: string]: unknown;
}

function linesOf(daemon: DaemonProcess): Line[] {
  return daemon.log.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

needs('bpf').describe('Operators see', () => {
  needs('python3-prometheus-client').test('in the metrics each call and its outcome', async () => {
    await using daemon = await DaemonProcess.start({ args: METRICS });
    using client = new RawClient(daemon.address);
    const tokens = await callMuch(client);
    await checkHealth(daemon.address);
    const scraped = () => Scrape.of(daemon.metricsUrl);
    await until('every call has ended', async () => (await scraped()).sum('btfd_rpc_in_flight') === 0);
    const scrape = await scraped();
    const calls = (method: string, labels: object = {}) =>
      scrape.sum('btfd_rpc_calls_total', { method, ...labels });

    expect(calls('GetServerInfo', { code: 'OK' })).toBe(3);
    expect(calls('LoadHandle', { code: 'OK' })).toBe(3);
    expect(calls('LoadHandle', { code: 'INVALID_ARGUMENT', reason: 'VERIFIER_REJECTED' })).toBe(1);
    expect(calls('LoadHandle', { reason: 'INVALID_REQUEST' })).toBe(1);
    expect(calls('GetHandleById', { code: 'NOT_FOUND', reason: 'BTF_ID_NOT_FOUND' })).toBe(1);
    expect(calls('GetHandleInfo', { reason: 'HANDLE_NOT_FOUND' })).toBe(1);
    expect(calls('Spec', { code: 'OK', service: 'btf.v1.BtfService' })).toBe(2);
    expect(calls('IterateHandles', { code: 'CANCELLED', reason: '' })).toBe(1);
    expect(calls('Check', { code: 'OK', service: 'grpc.health.v1.Health' })).toBe(1);
    expect(scrape.sum('btfd_rpc_duration_seconds_count')).toBe(scrape.sum('btfd_rpc_calls_total'));

    expect(scrape.sum('btfd_loads_total', { result: 'loaded' })).toBe(2);
    expect(scrape.sum('btfd_loads_total', { result: 'rejected' })).toBe(2);
    expect(scrape.sum('btfd_loads_total', { result: 'refused', reason: 'INVALID_REQUEST' })).toBe(1);
    expect(scrape.sum('btfd_load_duration_seconds_count')).toBe(4);
    expect(scrape.sum('btfd_load_queue_length')).toBe(0);

    // Two loads, a clone, and a taken handle.
    expect(scrape.sum('btfd_handles', { holder: 'lease' })).toBe(4);
    expect(scrape.sum('btfd_handles', { holder: 'stream' })).toBe(0);
    expect(scrape.sum('btfd_handles', { origin: 'user' })).toBeGreaterThanOrEqual(3);
    expect(scrape.sum('btfd_held_btf_bytes', { origin: 'user' })).toBeGreaterThanOrEqual(
      3 * intBtf(3, SECRET).length,
    );
    expect(scrape.sum('btfd_leases_granted_total')).toBe(4);
    expect(scrape.sum('btfd_leases_ended_total')).toBe(0);
    expect(scrape.sum('btfd_spec_cache_misses_total')).toBe(1);
    expect(scrape.sum('btfd_spec_cache_hits_total')).toBe(1);
    expect(scrape.sum('btfd_spec_cache_bytes')).toBeGreaterThan(1_000_000);
    expect(scrape.sum('btfd_connections', { transport: 'unix' })).toBeGreaterThanOrEqual(1);
    const digest = createHash('sha256').update(readFileSync('/sys/kernel/btf/vmlinux')).digest('hex');
    expect(scrape.sum('btfd_build_info', { machine: machine(), kernel_digest: digest })).toBe(1);
    const fds = readdirSync(`/proc/${daemon.pid}/fd`).length;
    expect(Math.abs(scrape.sum('process_open_fds') - fds)).toBeLessThan(5);
    expect(scrape.names()).toContain('nodejs_eventloop_lag_p99_seconds');

    await client.call('closeHandles', { tokens });
    const after = await scraped();
    expect(after.sum('btfd_handles')).toBe(0);
    expect(after.sum('btfd_leases_ended_total', { cause: 'closed' })).toBe(4);
    for (const text of [SECRET, ...tokens]) expect(after.labelValues().has(text)).toBe(false);
  });

  test('how late the event loop is, which no timer measures before the first request for metrics', async () => {
    await using daemon = await DaemonProcess.start({ args: METRICS });
    /** How often the main thread has slept. */
    const sleeps = (): number => {
      const status = readFileSync(`/proc/${daemon.pid}/status`, 'latin1');
      return Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)?.[1]);
    };
    const idle = async (): Promise<number> => {
      const before = sleeps();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return sleeps() - before;
    };
    /** The CPU time of the process so far. The kernel counts it in hundredths of a second. */
    const cpuSeconds = (): number => {
      const [, fields = ''] = readFileSync(`/proc/${daemon.pid}/stat`, 'latin1').split(') ');
      const [user, system] = fields.split(' ').slice(11, 13);
      return (Number(user) + Number(system)) / 100;
    };
    expect(await idle()).toBeLessThan(40);
    const before = cpuSeconds();
    const first = await Scrape.of(daemon.metricsUrl);
    for (const name of ['process_cpu_seconds_total', 'process_cpu_user_seconds_total'])
      expect(first.sum(name)).toBeGreaterThan(before / 2);
    expect(first.sum('process_cpu_seconds_total')).toBeGreaterThan(before - 0.02);
    await until('the timer runs', async () => (await idle()) > 40);
    const scrape = await Scrape.of(daemon.metricsUrl);
    expect(scrape.sum('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
  });

  test('in the logs each call, and an audit of each load and take, but no token and no BTF', async () => {
    await using daemon = await DaemonProcess.start({ args: METRICS });
    using client = new RawClient(daemon.address);
    const tokens = await callMuch(client);
    expect(tokens).toHaveLength(5);
    await until('every call is logged', () =>
      linesOf(daemon).some(({ method, msg }) => msg === 'call' && method === 'RenewHandles'),
    );
    await daemon.end();
    const lines = linesOf(daemon);
    for (const text of [SECRET, ...tokens]) expect(daemon.log.text).not.toContain(text);
    // The secret half of a token.
    for (const token of tokens) expect(daemon.log.text).not.toContain(token.split('.')[1]);

    const audit = lines.filter((line) => line['audit'] === true);
    const outcomes = audit.map(({ action, outcome, method }) => [action, outcome, method].join(' '));
    expect(outcomes).toEqual([
      'load granted LoadHandle',
      'load granted LoadHandle',
      'load rejected LoadHandle',
      'load rejected LoadHandle',
      'load failed LoadHandle',
      'take granted CloneHandle',
      'take granted TakeHandle',
    ]);
    expect(audit[0]).toMatchObject({
      btfId: expect.any(Number),
      btfBytes: intBtf(3, SECRET).length,
      digest: expect.stringMatching(/^[\da-f]{64}$/),
      requestId: expect.stringMatching(/^[\da-f]{16}-\d+$/),
      code: 'OK',
    });
    const called = lines.filter(({ msg }) => msg === 'call');
    expect(called.filter(({ method }) => method === 'GetServerInfo')).toHaveLength(3);
    expect(called.every(({ durationMs }) => typeof durationMs === 'number')).toBe(true);
  });

  needs('python3-prometheus-client').test(
    'from the probes that the daemon is ready, and that it is not while it drains',
    async () => {
      await using daemon = await DaemonProcess.start({ args: METRICS });
      const url = daemon.metricsUrl;
      expect(await (await fetch(`${url}/readyz`)).text()).toBe('ready\n');
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      // A call whose request never ends keeps the drain waiting.
      const session = connect('http://localhost', {
        createConnection: () => createConnection(daemon.socket),
      });
      session.on('error', () => {});
      session
        .request({
          [constants.HTTP2_HEADER_METHOD]: 'POST',
          [constants.HTTP2_HEADER_PATH]: '/btf.v1.BtfService/GetServerInfo',
          [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
          te: 'trailers',
        })
        .on('error', () => {});
      await until(
        'the call is in flight',
        async () => (await Scrape.of(url)).sum('btfd_rpc_in_flight') === 1,
      );
      const ended = daemon.end('SIGTERM');
      await until('it is not ready', async () => {
        const response = await fetch(`${url}/readyz`);
        return response.status === 503 && (await response.text()) === 'not ready: the daemon is draining\n';
      });
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      session.destroy();
      expect(await ended).toBe(0);
      await expect(fetch(`${url}/healthz`)).rejects.toThrow();
    },
  );
});
