import { describe, expect, test } from '@jest/globals';
import { EndpointSlice } from 'kubernetes-models/discovery.k8s.io/v1/EndpointSlice';
import { EndpointSliceList } from 'kubernetes-models/discovery.k8s.io/v1/EndpointSliceList';
import { endpoint, endpointSlice, type SliceFields } from 'test-tools/kubernetes-api';
import { status } from '@btfd/client';
import { listNodes } from '../source/check-nodes.js';
import { Cluster } from '../testing/cluster.js';
import { kubernetesNodes, type KubernetesNodesOptions } from './kubernetes-nodes.js';

const ZONE = { 'topology.kubernetes.io/zone': 'eu-central-1a' };
const TWO_NODES = endpointSlice('btfd-a', {
  endpoints: [endpoint('web1', '10.0.0.1'), endpoint('web2', '10.0.0.2')],
});
const NOT_READY = { ready: false, serving: false, terminating: false };
const IPV6 = { addressType: 'IPv6' };

async function listed(...slices: SliceFields[]): Promise<unknown> {
  await using cluster = await Cluster.start(slices);
  return await cluster.list();
}

describe('The nodes of a Service', () => {
  test('are its endpoints, with the names of their nodes, the address of the port and the zone', async () => {
    await using cluster = await Cluster.start([TWO_NODES]);
    const source = cluster.source();
    expect(source.description).toBe('Service btfd/btfd');
    expect(await source.list()).toEqual([
      { name: 'web1', address: '10.0.0.1:7443', labels: ZONE },
      { name: 'web2', address: '10.0.0.2:7443', labels: ZONE },
    ]);
    const [request] = cluster.api.requests;
    expect([request?.path, Object.fromEntries(request?.query ?? [])]).toEqual([
      '/apis/discovery.k8s.io/v1/namespaces/btfd/endpointslices',
      { labelSelector: 'kubernetes.io/service-name=btfd', limit: '500' },
    ]);
    // Nothing stays open between listings.
    await cluster.api.closed();
  });

  test('are those of that Service and namespace only', async () => {
    await using cluster = await Cluster.start([TWO_NODES]);
    const others = cluster.list({ service: 'other' });
    await expect(others).rejects.toMatchObject({
      code: status.NOT_FOUND,
      rawMessage:
        'the Service "other" in the namespace "btfd" has no endpoints with IP addresses: check its name, its namespace and its selector',
    });
    await expect(cluster.list({ namespace: 'other' })).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  test('are not ready if their condition says so, and if their pod is terminating', async () => {
    const slice = endpointSlice('btfd-a', {
      endpoints: [
        endpoint('web1', '10.0.0.1', { conditions: NOT_READY }),
        endpoint('web2', '10.0.0.2', { conditions: { ready: true, serving: true, terminating: true } }),
        endpoint('web3', '10.0.0.3', { conditions: {} }),
        endpoint('web4', '10.0.0.4', { conditions: { ready: null } }),
      ],
    });
    expect(await listed(slice)).toEqual([
      { name: 'web1', address: '10.0.0.1:7443', labels: ZONE, ready: false },
      { name: 'web2', address: '10.0.0.2:7443', labels: ZONE, ready: false },
      { name: 'web3', address: '10.0.0.3:7443', labels: ZONE },
      { name: 'web4', address: '10.0.0.4:7443', labels: ZONE },
    ]);
  });

  test('are one node with an IPv4 and an IPv6 address, and with an old and a new pod', async () => {
    const v6 = endpointSlice('btfd-a', {
      ...IPV6,
      endpoints: [endpoint('web1', 'fd00::1'), endpoint('web2', 'fd00::2'), endpoint('web3', 'fd00::3')],
    });
    const v4 = endpointSlice('btfd-b', {
      endpoints: [
        endpoint('web1', '10.0.0.1'),
        endpoint('web2', '10.0.0.2', { conditions: NOT_READY }),
        endpoint('web4', '10.0.0.4', { conditions: { ...NOT_READY, serving: true, terminating: true } }),
        endpoint('web4', '10.0.0.44'),
      ],
    });
    expect(await listed(v6, v4)).toEqual([
      { name: 'web1', address: '10.0.0.1:7443', labels: ZONE },
      { name: 'web4', address: '10.0.0.44:7443', labels: ZONE },
      { name: 'web2', address: '[fd00::2]:7443', labels: ZONE },
      { name: 'web3', address: '[fd00::3]:7443', labels: ZONE },
    ]);
  });

  test('have the name of their target if they have none of a node, and otherwise that of the daemon', async () => {
    const without = { nodeName: undefined, zone: undefined };
    const slice = endpointSlice('btfd-a', {
      endpoints: [
        endpoint('web1', '10.0.0.1', without),
        endpoint('web2', '10.0.0.2', { ...without, targetRef: undefined, conditions: undefined }),
      ],
    });
    expect(await listed(slice)).toEqual([
      { name: 'btfd-web1', address: '10.0.0.1:7443' },
      { address: '10.0.0.2:7443' },
    ]);
  });

  test('are not the names in FQDN slices, nor the slice of a Service without pods', async () => {
    const names = endpointSlice('btfd-a', {
      addressType: 'FQDN',
      endpoints: [endpoint('web1', 'web1.example')],
    });
    const empty = endpointSlice('btfd-b', { endpoints: null, ports: null });
    expect(await listed(names, empty, TWO_NODES)).toHaveLength(2);
    await expect(listed(names, empty)).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  test('have another port if the option names it, also one without a name', async () => {
    const ports = [
      { name: 'grpc', protocol: 'UDP', port: 1 },
      { name: 'metrics', protocol: 'TCP', port: 9464 },
      { name: '', protocol: 'TCP', port: 7444 },
    ];
    await using cluster = await Cluster.start([
      endpointSlice('btfd-a', { ports, endpoints: [endpoint('web1', '10.0.0.1')] }),
    ]);
    expect(await cluster.list({ portName: 'metrics' })).toMatchObject([{ address: '10.0.0.1:9464' }]);
    expect(await cluster.list({ portName: '' })).toMatchObject([{ address: '10.0.0.1:7444' }]);
  });

  test('cannot be asked if their slice has no such port, and do not hide those of other slices', async () => {
    const renamed = endpointSlice('btfd-b', {
      ports: [
        { name: 'grpc', protocol: 'UDP', port: 1 },
        { name: 'metrics', port: 9464 },
      ],
      endpoints: [endpoint('web3', '10.0.0.3'), endpoint('web2', '10.0.0.22')],
    });
    const none = endpointSlice('btfd-c', { ports: null, endpoints: [endpoint('web4', '10.0.0.4')] });
    const problem = (has: string) =>
      `its EndpointSlice has no TCP port named "grpc", it has ${has}: name the port of the Service so`;
    await using cluster = await Cluster.start([renamed, TWO_NODES, none]);
    const nodes = await listNodes(cluster.source(), new AbortController().signal);
    expect(nodes).toEqual([
      { name: 'web3', address: '', labels: ZONE, problem: problem('"metrics"') },
      { name: 'web1', address: '10.0.0.1:7443', labels: ZONE },
      { name: 'web2', address: '10.0.0.2:7443', labels: ZONE },
      { name: 'web4', address: '', labels: ZONE, problem: problem('no named ports') },
    ]);
  });

  test('come in pages of 500 slices, and those of the first page do not change', async () => {
    const slices = Array.from({ length: 1_200 }, (_, index) =>
      endpointSlice(`btfd-${index}`, {
        endpoints: [endpoint(`web${index}`, `10.0.${index >> 8}.${index & 255}`)],
      }),
    );
    await using cluster = await Cluster.start(slices);
    const add = () => {
      cluster.api.slices.push(endpointSlice('btfd-new', { endpoints: [endpoint('web-new', '10.1.0.1')] }));
      return 'continue' as const;
    };
    cluster.api.faults = [() => 'continue', add];
    expect(await cluster.list()).toHaveLength(1_200);
    expect(cluster.api.requests.map(({ query }) => query.get('continue') === null)).toEqual([
      true,
      false,
      false,
    ]);
    expect(await cluster.list()).toHaveLength(1_201);
  });

  test('are listed from the start if the list expires between its pages, with what has changed', async () => {
    const slices = Array.from({ length: 501 }, (_, index) =>
      endpointSlice(`btfd-${index}`, {
        endpoints: [endpoint(`web${index}`, `10.0.${index >> 8}.${index & 255}`)],
      }),
    );
    await using cluster = await Cluster.start(slices);
    const expire = () => {
      cluster.api.expire();
      cluster.api.slices = cluster.api.slices.slice(1);
      return 'continue' as const;
    };
    cluster.api.faults = [() => 'continue', expire];
    const nodes = await cluster.list();
    // The first page of the first list had web0.
    expect(nodes).toHaveLength(500);
    expect(nodes[0]?.name).toBe('web1');
    expect(cluster.api.requests).toHaveLength(3);
  });

  test('are 10,000 with two addresses each', async () => {
    const slices = Array.from({ length: 200 }, (_, index) =>
      endpointSlice(`btfd-${index}`, {
        ...(index % 2 === 0 ? {} : IPV6),
        endpoints: Array.from({ length: 100 }, (_each, at) => {
          const node = (index >> 1) * 100 + at;
          const address = index % 2 === 0 ? `10.0.${node >> 8}.${node & 255}` : `fd00::${node.toString(16)}`;
          return endpoint(`web${node}`, address);
        }),
      }),
    );
    await using cluster = await Cluster.start(slices);
    const nodes = await listNodes(cluster.source(), new AbortController().signal);
    expect(nodes).toHaveLength(10_000);
    expect(nodes.every(({ address }) => address.startsWith('10.0.'))).toBe(true);
  });
});

describe('The responses of the tests', () => {
  test('have the schema of the API', async () => {
    const v6 = endpointSlice('btfd-b', { ...IPV6, endpoints: [endpoint('web1', 'fd00::1')] });
    await using cluster = await Cluster.start([TWO_NODES, v6]);
    const path = '/apis/discovery.k8s.io/v1/namespaces/btfd/endpointslices?limit=1';
    const headers = { authorization: 'Bearer a-token' };
    const response = await fetch(`${cluster.server}${path}`, { headers });
    const list = (await response.json()) as { items: SliceFields[]; metadata: object };
    expect(list.items).toHaveLength(1);
    expect(list.metadata).toMatchObject({ remainingItemCount: 1 });
    // The items of a list do not repeat its kind, which these schemas demand.
    const kind = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' };
    const items = list.items.map((slice) => ({ ...kind, ...slice }));
    expect(() => new EndpointSliceList({ ...list, items } as never).validate()).not.toThrow();
    expect(() => new EndpointSlice(v6 as never).validate()).not.toThrow();
    // It is a check that can fail.
    expect(() => new EndpointSlice({ ...TWO_NODES, endpoints: [{}] } as never).validate()).toThrow(
      'addresses',
    );
  });
});

describe('The options', () => {
  test.each<[Partial<Record<keyof KubernetesNodesOptions, unknown>>, string]>([
    [{ namespace: undefined }, 'namespace: must be a name of at most 63 characters'],
    [{ namespace: 'a/b' }, 'namespace: must be a name of at most 63 characters a-z, 0-9 and -, not "a/b"'],
    [{ service: '' }, 'service: must be a name'],
    [{ service: 'b'.repeat(64) }, 'service: must be a name'],
    [{ portName: 'a b' }, 'portName: must be a name'],
    [{ timeout: 0 }, 'timeout: must be a number of milliseconds above 0'],
    [{ kubeConfig: '/x' } as never, 'kubeConfig: unknown option: use one of namespace, service, kubeconfig'],
  ])('%j cannot be used', (options, message) => {
    const all = { namespace: 'btfd', service: 'btfd', ...options } as KubernetesNodesOptions;
    expect(() => kubernetesNodes(all)).toThrow(message);
  });
});
