import { setTimeout as wait } from 'node:timers/promises';
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import {
  endpoint,
  endpointSlice,
  type Fault,
  send,
  sendStatus,
  type SliceFields,
} from 'test-tools/kubernetes-api';
import { status } from '@btfd/client';
import { Cluster } from '../testing/cluster.js';
import { deadAddress } from '../testing/stand-ins.js';
import { MAX_BODY } from './api-server.js';

const SLICE = endpointSlice('btfd-a', { endpoints: [endpoint('web1', '10.0.0.1')] });
const FORBIDDEN =
  'endpointslices.discovery.k8s.io is forbidden: User "system:serviceaccount:btfd:x" cannot list resource "endpointslices" in API group "discovery.k8s.io" in the namespace "btfd"';

const busy =
  (seconds?: number): Fault =>
  (response) =>
    sendStatus(
      response,
      429,
      'TooManyRequests',
      'Too many requests, please try again later.',
      seconds === undefined ? {} : { 'retry-after': String(seconds) },
    );
const list =
  (fields: SliceFields): Fault =>
  (response) =>
    send(response, 200, {
      kind: 'EndpointSliceList',
      apiVersion: 'discovery.k8s.io/v1',
      metadata: {},
      ...fields,
    });
const text =
  (body: string, code = 200): Fault =>
  (response) => {
    response.writeHead(code).end(body);
  };
const slice = (fields: SliceFields): Fault => list({ items: [{ ...SLICE, ...fields }] });

/** Lists with one fault after the other, and returns the number of requests. */
async function withFaults(faults: readonly Fault[], options = {}): Promise<number> {
  await using cluster = await Cluster.start([SLICE]);
  cluster.api.faults = [...faults];
  await cluster.list(options);
  await cluster.api.closed();
  return cluster.api.requests.length;
}

describe('A listing waits for a server', () => {
  test('that is busy, as long as the server says', async () => {
    const before = performance.now();
    expect(await withFaults([busy(1), busy(0)])).toBe(3);
    expect(performance.now() - before).toBeGreaterThan(990);
  });

  test('that is busy and does not say how long', async () => {
    const before = performance.now();
    expect(await withFaults([busy()])).toBe(2);
    expect(performance.now() - before).toBeGreaterThan(990);
  });

  test('that starts and says how long', async () => {
    const starting: Fault = (response) =>
      sendStatus(response, 503, 'ServiceUnavailable', 'starting', { 'retry-after': '0' });
    expect(await withFaults([starting])).toBe(2);
  });
});

describe('A listing fails', () => {
  test.each<[string, readonly Fault[], number, string]>([
    [
      'is busy for too long',
      [busy(3_600)],
      status.RESOURCE_EXHAUSTED,
      'is too busy, try again later: HTTP 429, Too many requests',
    ],
    ['stays busy', Array.from({ length: 11 }, () => busy(0)), status.RESOURCE_EXHAUSTED, 'is too busy'],
    [
      'forbids it',
      [(response) => sendStatus(response, 403, 'Forbidden', FORBIDDEN)],
      status.PERMISSION_DENIED,
      `does not let this user list EndpointSlices, bind a Role in the namespace "btfd" with the rule {apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list"]}: HTTP 403, ${FORBIDDEN}`,
    ],
    [
      'does not have that API',
      [text('404 page not found\n', 404)],
      status.NOT_FOUND,
      'has no EndpointSlices of discovery.k8s.io/v1, which Kubernetes has since 1.21: HTTP 404, no reason given',
    ],
    [
      'fails',
      [(response) => sendStatus(response, 500, 'InternalError', 'etcd\u001b[2J is\ndown')],
      status.UNAVAILABLE,
      'cannot list EndpointSlices: HTTP 500, etcd [2J is down',
    ],
    [
      'redirects',
      [(response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
      status.UNAVAILABLE,
      'HTTP 302',
    ],
  ])('if the server %s', async (_, faults, code, message) => {
    await expect(withFaults(faults)).rejects.toMatchObject({
      code,
      rawMessage: expect.stringContaining(message),
    });
  });

  test('with the time after which to try again', async () => {
    await expect(withFaults([busy(3_600)])).rejects.toMatchObject({ retryDelay: 3_600_000 });
  });

  test('if the credentials are not accepted', async () => {
    await using cluster = await Cluster.start([SLICE]);
    cluster.writeKubeconfig({ token: 'another' });
    await expect(cluster.list()).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
      rawMessage: `the API server ${cluster.server} (context "test") does not accept the credentials, check the user of the context or the service account: HTTP 401, Unauthorized`,
    });
  });

  test('if the list expires three times', async () => {
    const gone: Fault = (response) => sendStatus(response, 410, 'Expired', 'too old');
    await expect(withFaults([gone, gone, gone])).rejects.toMatchObject({
      code: status.ABORTED,
      rawMessage: expect.stringContaining('expired between its pages 3 times'),
    });
    expect(await withFaults([gone, gone])).toBe(3);
  });

  test('if nothing listens there', async () => {
    await using cluster = await Cluster.start();
    const address = deadAddress();
    cluster.writeKubeconfig({}, `http://${address}`);
    await expect(cluster.list()).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      rawMessage: `the API server http://${address} (context "test") cannot be reached: connect ECONNREFUSED ${address}`,
    });
  });

  test('if the connection breaks in the middle', async () => {
    const broken: Fault = (response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('{', () => response.destroy());
    };
    await expect(withFaults([broken])).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      rawMessage: expect.stringContaining('cannot be reached: '),
    });
  });
});

describe('A listing refuses', () => {
  test.each<[string, Fault, string]>([
    [
      'what is not JSON',
      text('<html>'),
      'is not a list of EndpointSlices: check the address in the kubeconfig',
    ],
    ['nothing', text(''), 'is not a list'],
    ['another kind', list({ kind: 'PodList', items: [] }), 'is not a list'],
    ['JSON without fields', text('null'), 'is not a list'],
    ['deep JSON', text('['.repeat(1_000_000)), 'is not a list'],
    ['items that are not a list', list({ items: {} }), 'is not a list'],
    ['a `continue` of another type', list({ items: [], metadata: { continue: 1 } }), 'has a bad `continue`'],
    [
      'a long `continue`',
      list({ items: [], metadata: { continue: 'c'.repeat(5_000) } }),
      'has a bad `continue`',
    ],
    [
      'more endpoints than four times the largest fleet',
      slice({ endpoints: Array.from({ length: 40_001 }, (_, at) => endpoint(`web${at}`, '10.0.0.1')) }),
      'has more than 40000 endpoints',
    ],
  ])('%s', async (_, fault, message) => {
    await expect(withFaults([fault])).rejects.toMatchObject({
      code: status.INTERNAL,
      reason: 'INVALID_RESPONSE',
      rawMessage: expect.stringContaining(message),
    });
  });

  test('pages without end', async () => {
    const more = list({ items: [SLICE], metadata: { continue: 'again' } });
    await expect(withFaults(Array.from({ length: 101 }, () => more))).rejects.toMatchObject({
      reason: 'INVALID_RESPONSE',
      rawMessage: expect.stringContaining('has more than 100 pages'),
    });
  });

  test('a body without end, after 32 MiB', async () => {
    let sent = 0;
    const chunk = Buffer.alloc(1024 * 1024, ' ');
    const endless = (response: ServerResponse): void => {
      const more = (): void => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
      };
      response.on('drain', more).on('error', () => {});
      more();
    };
    await expect(withFaults([endless])).rejects.toMatchObject({
      reason: 'INVALID_RESPONSE',
      rawMessage: expect.stringContaining(`has more than ${MAX_BODY} bytes`),
    });
    expect(sent).toBeLessThan(2 * MAX_BODY);
  });
});

describe('A silent server', () => {
  const silences: [string, Fault][] = [
    ['does not respond', () => {}],
    ['responds and sends no body', (response) => response.writeHead(200).flushHeaders()],
    [
      'sends a byte now and then',
      (response) => {
        const timer = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(timer)).writeHead(200);
      },
    ],
  ];

  test.each(silences)('that %s ends with the time of the listing', async (_, fault) => {
    await expect(withFaults([fault], { timeout: 200 })).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      rawMessage: 'listing the nodes of Service btfd/btfd took longer than 200 ms',
    });
  });

  test.each([...silences, ['asks to come back', busy(10)] as [string, Fault]])(
    'that %s does not keep an abort waiting',
    async (_, fault) => {
      await using cluster = await Cluster.start([SLICE]);
      cluster.api.faults = [fault];
      const leaving = new AbortController();
      const listing = cluster.source().list({ signal: leaving.signal });
      listing.catch(() => {});
      while (cluster.api.requests.length === 0) await wait(5);
      const reason = new Error('enough');
      leaving.abort(reason);
      await expect(listing).rejects.toBe(reason);
      await cluster.api.closed();
      await expect(cluster.source().list({ signal: leaving.signal })).rejects.toBe(reason);
    },
  );
});
