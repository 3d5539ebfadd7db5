import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { endpoint, endpointSlice, kubeconfigOf } from 'test-tools/kubernetes-api';
import { status } from '@btfd/client';
import { Cluster } from '../testing/cluster.js';
import { clientNode } from './client-node.js';

const SLICE = endpointSlice('btfd-a', { endpoints: [endpoint('web1', '10.0.0.1')] });
const INSECURE = { 'insecure-skip-tls-verify': true };

let cluster: Cluster;
let dir: string;
const { HOME, KUBECONFIG } = process.env;

beforeEach(async () => {
  cluster = await Cluster.start([SLICE]);
  dir = mkdtempSync(join(tmpdir(), 'btfd-home-'));
  process.env['HOME'] = dir;
  delete process.env['KUBECONFIG'];
});
afterEach(async () => {
  Object.assign(process.env, { HOME, KUBECONFIG });
  if (KUBECONFIG === undefined) delete process.env['KUBECONFIG'];
  rmSync(dir, { recursive: true });
  await cluster[Symbol.asyncDispose]();
});

const write = (name: string, text: string): string => {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
};
/** Lists with the kubeconfig that the environment names. */
const listed = async (options = {}) => cluster.list({ kubeconfig: undefined, ...options });

describe('The kubeconfig', () => {
  test('is that in the home folder', async () => {
    mkdirSync(join(dir, '.kube'));
    write(
      '.kube/config',
      kubeconfigOf({ server: cluster.server, cluster: INSECURE, user: { token: 'a-token' } }),
    );
    expect(await listed()).toHaveLength(1);
  });

  test('is the files of KUBECONFIG, of which the first has the current context', async () => {
    const other = kubeconfigOf({ server: 'http://127.0.0.1:1', cluster: INSECURE }).replaceAll(
      '"test"',
      '"other"',
    );
    process.env['KUBECONFIG'] = `${cluster.kubeconfig}:${write('other', other)}`;
    expect(await listed()).toHaveLength(1);
    await expect(listed({ context: 'other' })).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });

  test('is read again by each listing', async () => {
    cluster.writeKubeconfig({ token: 'old' });
    const source = cluster.source();
    await expect(source.list()).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    cluster.writeKubeconfig({ token: 'a-token' });
    expect(await source.list()).toHaveLength(1);
  });

  test('may have a server below a path', async () => {
    cluster.writeKubeconfig({ token: 'a-token' }, `${cluster.server}/k8s/clusters/c-1/`);
    await expect(cluster.list()).rejects.toMatchObject({ code: status.NOT_FOUND });
    expect(cluster.api.requests[0]?.path).toBe(
      '/k8s/clusters/c-1/apis/discovery.k8s.io/v1/namespaces/btfd/endpointslices',
    );
  });
});

describe('The credentials', () => {
  test('are a user and a password', async () => {
    cluster.writeKubeconfig({ username: 'ada', password: 'secret' });
    await expect(cluster.list()).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    const { authorization } = cluster.api.requests[0]?.headers ?? {};
    expect(authorization).toBe(`Basic ${Buffer.from('ada:secret').toString('base64')}`);
  });

  const plugin = (script: string) => ({
    exec: { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', script] },
  });

  test('are those of a plugin', async () => {
    const credential = { kind: 'ExecCredential', status: { token: 'a-token' } };
    cluster.writeKubeconfig(plugin(`console.log(${JSON.stringify(JSON.stringify(credential))})`));
    expect(await cluster.list()).toHaveLength(1);
  });

  test('cannot be used if the plugin fails', async () => {
    cluster.writeKubeconfig(plugin("console.error('log in\\x1b[2J\\nfirst'); process.exit(1)"));
    await expect(cluster.list()).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      rawMessage: 'cannot use the credentials of the context "test": log in [2J first',
    });
  });

  test('do not keep an abort waiting if the plugin hangs', async () => {
    cluster.writeKubeconfig(plugin('setTimeout(() => {}, 500)'));
    await expect(cluster.list({ timeout: 100 })).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });
});

describe('A listing fails', () => {
  const refused = async (text: string, options = {}): Promise<unknown> => {
    const path = write('config', text);
    return cluster.list({ kubeconfig: path, ...options }).catch((error: unknown) => error);
  };
  const failure = (rawMessage: unknown) => ({ code: status.FAILED_PRECONDITION, reason: null, rawMessage });

  test('if there is no kubeconfig, and no service account', async () => {
    await expect(listed()).rejects.toMatchObject(
      failure('there is neither a kubeconfig nor a service account: set KUBECONFIG, or run in a pod'),
    );
  });

  test('if the kubeconfig does not exist', async () => {
    process.env['KUBECONFIG'] = '/nonexistent/config';
    const message = /^cannot read the kubeconfig \/nonexistent\/config: ENOENT/;
    await expect(listed()).rejects.toMatchObject(failure(expect.stringMatching(message)));
    await expect(listed({ kubeconfig: '/nonexistent/config' })).rejects.toMatchObject(
      failure(expect.stringMatching(message)),
    );
  });

  test.each([
    ['', /^cannot read the kubeconfig .*\/config: \S/],
    ['{', /^cannot read the kubeconfig .*\/config: \S/],
    ['clusters: [{}]', /clusters\[0\]\.name is missing/],
    ['clusters: []', /^the kubeconfig has no current context: it has the contexts \(none\)$/],
    [
      kubeconfigOf({ server: 'nowhere', user: {} }),
      /^the server "nowhere" of the context "test" is not a URL$/,
    ],
    [
      kubeconfigOf({ server: 'http://127.0.0.1:1', user: {} }),
      /^cannot use the credentials of the context "test": HTTP protocol is not allowed/,
    ],
    [
      kubeconfigOf({
        server: 'https://127.0.0.1:1',
        user: {},
        cluster: { 'certificate-authority': '/no/ca' },
      }),
      /^cannot use the credentials of the context "test": ENOENT.*\/no\/ca/,
    ],
  ])('if the kubeconfig is %j', async (text, message) => {
    expect(await refused(text)).toMatchObject(failure(expect.stringMatching(message)));
  });

  test('if there is no such context', async () => {
    const text = kubeconfigOf({ server: cluster.server, user: {} });
    expect(await refused(text, { context: 'staging' })).toMatchObject(
      failure('the kubeconfig has no cluster for the context "staging": it has the contexts test'),
    );
  });
});

describe('Without @kubernetes/client-node', () => {
  const missing = async (): Promise<never> => {
    throw new Error("Cannot find package '@kubernetes/client-node' imported from /x");
  };

  test.each([
    ['20.19.0', '@kubernetes/client-node@1'],
    ['22.18.0', '@kubernetes/client-node@1'],
    ['22.19.0', '@kubernetes/client-node'],
    ['24.0.0', '@kubernetes/client-node'],
  ])('on Node %s, the error names the command that installs %s', async (node, name) => {
    await expect(clientNode(missing, node)).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      rawMessage: `nodes of Kubernetes need the package @kubernetes/client-node, which cannot be loaded with Node ${node}: install it with \`npm install ${name}\` (Cannot find package '@kubernetes/client-node' imported from /x)`,
    });
  });
});
