import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';

const PATH = /^\/apis\/discovery[.]k8s[.]io\/v1\/namespaces\/([^/]+)\/endpointslices$/;
const SERVICE_LABEL = 'kubernetes.io/service-name';

/**
 * KubernetesApi stands for the API server of Kubernetes, of which no package can be had for tests. It lists EndpointSlices
 * in pages, by namespace and label, with the tokens, statuses and errors of the real one.
 */
export class KubernetesApi {
  #server;
  #sockets = new Set();
  #token;
  #snapshots = new Map();
  #version = 1;
  slices;
  requests = [];
  faults = [];

  constructor({ slices = [], token = null, tls = null }) {
    this.slices = [...slices];
    this.#token = token;
    const handler = (request, response) => void this.#serve(request, response);
    this.#server =
      tls === null
        ? createHttp(handler)
        : createHttps({ ...tls, requestCert: tls.ca !== undefined, rejectUnauthorized: false }, handler);
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {});
    });
  }

  static async start(options = {}) {
    const api = new KubernetesApi(options);
    await once(api.#server.listen(0, '127.0.0.1'), 'listening');
    return api;
  }

  get port() {
    return this.#server.address().port;
  }

  async closed() {
    while (this.#sockets.size > 0) await wait(5);
  }

  expire() {
    this.#snapshots.clear();
  }

  async [Symbol.asyncDispose]() {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #serve(request, response) {
    const url = new URL(request.url, 'http://api');
    this.requests.push({ path: url.pathname, query: url.searchParams, headers: request.headers });
    const fault = this.faults.shift();
    if (fault !== undefined && (await fault(response)) !== 'continue') return;
    const user = this.#userOf(request);
    if (user === null) return sendStatus(response, 401, 'Unauthorized', 'Unauthorized');
    const [, namespace] = PATH.exec(url.pathname) ?? [];
    if (request.method !== 'GET' || namespace === undefined) {
      return sendStatus(response, 404, 'NotFound', 'the server could not find the requested resource');
    }
    this.#list(response, namespace, url.searchParams);
  }

  #userOf({ headers, socket }) {
    if (socket.authorized) return socket.getPeerCertificate().subject.CN;
    if (this.#token === null || headers.authorization === `Bearer ${this.#token}`) return 'a user';
    return null;
  }

  #list(response, namespace, query) {
    const [label, service] = (query.get('labelSelector') ?? '').split('=');
    const limit = Number(query.get('limit') ?? 0) || Infinity;
    const token = query.get('continue');
    const { id, start } =
      token === null
        ? { id: this.#snapshot(namespace, label, service), start: 0 }
        : JSON.parse(Buffer.from(token, 'base64url').toString());
    // The pages of a list are those of its first, as in etcd.
    const all = this.#snapshots.get(id);
    if (all === undefined) return sendStatus(response, 410, 'Expired', EXPIRED);
    const items = all.slice(start, start + limit);
    const left = all.length - start - items.length;
    const more =
      left > 0
        ? {
            continue: Buffer.from(JSON.stringify({ id, start: start + items.length })).toString('base64url'),
            remainingItemCount: left,
          }
        : {};
    send(response, 200, {
      kind: 'EndpointSliceList',
      apiVersion: 'discovery.k8s.io/v1',
      metadata: { resourceVersion: String(id), ...more },
      items,
    });
  }

  #snapshot(namespace, label, service) {
    this.#version += 1;
    const selected = this.slices.filter(
      ({ metadata }) =>
        metadata.namespace === namespace && (label !== SERVICE_LABEL || metadata.labels[label] === service),
    );
    this.#snapshots.set(this.#version, structuredClone(selected));
    return this.#version;
  }
}

const EXPIRED =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.';

/** endpointSlice returns a slice of the Service btfd in the namespace btfd, with the fields that a controller writes. */
export function endpointSlice(name, fields) {
  return {
    metadata: {
      name,
      generateName: 'btfd-',
      namespace: 'btfd',
      uid: '3f1c2a52-96c2-4d55-8a3e-3b4dd1b8f3a4',
      resourceVersion: '812',
      generation: 3,
      creationTimestamp: '2026-11-30T00:00:00Z',
      labels: {
        'app.kubernetes.io/name': 'btfd',
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        [SERVICE_LABEL]: 'btfd',
        'service.kubernetes.io/headless': '',
      },
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'Service',
          name: 'btfd',
          uid: 'a3a83ad3-9a5a-4a38-b0d3-9c2f7f6f2d5e',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    addressType: 'IPv4',
    ports: [{ name: 'grpc', protocol: 'TCP', port: 7443, appProtocol: 'grpc' }],
    ...fields,
  };
}

/** endpoint returns the endpoint of a pod of the daemon on a node. */
export function endpoint(nodeName, address, fields = {}) {
  return {
    addresses: [address],
    conditions: { ready: true, serving: true, terminating: false },
    nodeName,
    targetRef: {
      kind: 'Pod',
      namespace: 'btfd',
      name: `btfd-${nodeName}`,
      uid: '7f0a3a9e-2f52-4a55-9c9c-0f4d7f3f9f10',
    },
    zone: 'eu-central-1a',
    ...fields,
  };
}

/** sendStatus responds as the API server responds to a request that fails. */
export function sendStatus(response, code, reason, message, headers = {}) {
  const body = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
  send(response, code, body, headers);
}

/** send responds with JSON. */
export function send(response, code, body, headers = {}) {
  response.writeHead(code, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** kubeconfigOf returns a kubeconfig with one context, `test`, as JSON, which is YAML. */
export function kubeconfigOf({ server, cluster = {}, user = {} }) {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, ...cluster } }],
    users: [{ name: 'test', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  });
}
