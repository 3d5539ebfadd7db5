import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { needs } from 'test-tools';
import { endpoint, endpointSlice, KubernetesApi, kubeconfigOf } from 'test-tools/kubernetes-api';
import { status } from '@btfd/client';
import { FakeDaemon } from '@btfd/client/testing';
import { kubernetesNodes } from '@btfd/fleet/kubernetes';
import { ServerCredentials } from '@grpc/grpc-js';
import { btfctl, type Ran } from './testing/btfctl.js';
import { readManifests } from './testing/manifests.js';
import { intBtf } from './testing/sample-btf.js';
import { TestCertificates } from './testing/test-certificates.js';

const JOB = fileURLToPath(new URL('../../../deploy/kubernetes/examples/fleet-job.yaml', import.meta.url));
const BTFCTL = fileURLToPath(new URL('../../cli/bin/btfctl.js', import.meta.url));
const TOKEN = 'the-token-of-a-service-account';
/** The nodes of a fleet in JSON. */
const NODES = [
  { name: 'web1', outcome: 'answered' },
  { name: 'web2', outcome: 'not-ready' },
];
const CLIENT = 'spiffe://test/viewer';

let certificates: TestCertificates;
let api: KubernetesApi;
/** The daemon of the node web1. */
let daemon: FakeDaemon;

beforeAll(async () => {
  certificates = await TestCertificates.make();
  const [ca, cert, key] = ['ca', 'cert', 'key'] as const;
  const pem = (name: 'ca' | 'cert' | 'key'): string => readFileSync(certificates.files[name], 'utf8');
  const names = ['web1.nodes.example', 'btfd.btfd.svc'];
  const pair = await certificates.issueServer({ names });
  daemon = await FakeDaemon.start({
    objects: [{ name: 'vmlinux', btf: intBtf(3, 'number') }],
    credentials: ServerCredentials.createSsl(
      Buffer.from(pem(ca)),
      [{ cert_chain: Buffer.from(pair.cert), private_key: Buffer.from(pair.key) }],
      true,
    ),
  });
  const port = Number(/\d+$/.exec(daemon.address)?.[0]);
  api = await KubernetesApi.start({
    token: TOKEN,
    tls: { ca: pem(ca), cert: pem(cert), key: pem(key) },
    slices: [
      endpointSlice('btfd-a', {
        ports: [{ name: 'grpc', protocol: 'TCP', port }],
        endpoints: [
          endpoint('web1', '127.0.0.1'),
          endpoint('web2', '127.0.0.2', { conditions: { ready: false }, zone: 'eu-central-1b' }),
        ],
      }),
    ],
  });
  const viewer = await certificates.issueClient([CLIENT]);
  writeFileSync(join(certificates.dir, 'tls.crt'), viewer.cert);
  writeFileSync(join(certificates.dir, 'tls.key'), viewer.key);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await daemon.stop();
  certificates[Symbol.dispose]();
});

/** Writes a kubeconfig and returns its path. */
function kubeconfig(
  user: object,
  cluster: object = { 'certificate-authority': certificates.files.ca },
): string {
  const path = join(certificates.dir, 'kubeconfig');
  const server = `https://127.0.0.1:${api.port}`;
  writeFileSync(path, kubeconfigOf({ server, cluster: { ...cluster }, user: { ...user } }));
  return path;
}

const SOURCE = { namespace: 'btfd', service: 'btfd' };
const inBase64 = (path: string): string => readFileSync(path).toString('base64');

describe('The nodes of a Service over TLS', () => {
  test('are listed with a token, and a token in a file that changes', async () => {
    const path = join(certificates.dir, 'token');
    writeFileSync(path, 'old');
    const source = kubernetesNodes({
      ...SOURCE,
      kubeconfig: kubeconfig({ 'auth-provider': { name: 'tokenFile', config: { tokenFile: path } } }),
    });
    await expect(source.list()).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    writeFileSync(path, TOKEN);
    expect(await source.list()).toHaveLength(2);
    expect(
      await kubernetesNodes({ ...SOURCE, kubeconfig: kubeconfig({ token: TOKEN }) }).list(),
    ).toHaveLength(2);
  });

  test('are listed with a client certificate, in files and in the kubeconfig', async () => {
    const [cert, key] = ['tls.crt', 'tls.key'].map((name) => join(certificates.dir, name));
    const inFiles = kubeconfig({ 'client-certificate': cert, 'client-key': key });
    expect(await kubernetesNodes({ ...SOURCE, kubeconfig: inFiles }).list()).toHaveLength(2);
    const embedded = kubeconfig(
      { 'client-certificate-data': inBase64(cert ?? ''), 'client-key-data': inBase64(key ?? '') },
      { 'certificate-authority-data': inBase64(certificates.files.ca) },
    );
    expect(await kubernetesNodes({ ...SOURCE, kubeconfig: embedded }).list()).toHaveLength(2);
  });

  test('are not listed by a server of another authority, or with another name', async () => {
    using others = await TestCertificates.make();
    const user = { token: TOKEN };
    const requests = api.requests.length;
    for (const [cluster, message] of [
      [
        { 'certificate-authority': others.files.ca },
        'cannot be reached: self-signed certificate in certificate chain',
      ],
      [{}, 'cannot be reached: self-signed certificate in certificate chain'],
      [
        { 'certificate-authority': certificates.files.ca, 'tls-server-name': 'other.example' },
        "cannot be reached: Hostname/IP does not match certificate's altnames",
      ],
    ] as const) {
      const source = kubernetesNodes({ ...SOURCE, kubeconfig: kubeconfig(user, cluster) });
      await expect(source.list()).rejects.toMatchObject({
        code: status.UNAVAILABLE,
        rawMessage: expect.stringContaining(message),
      });
    }
    // The token was not sent.
    expect(api.requests).toHaveLength(requests);
  });
});

describe('btfctl fleet --kubernetes', () => {
  const tls = (serverName: string): string[] => {
    const [ca, cert, key] = ['ca.crt', 'tls.crt', 'tls.key'].map((name) => join(certificates.dir, name));
    return [`--tls-ca=${ca}`, `--tls-cert=${cert}`, `--tls-key=${key}`, `--tls-server-name=${serverName}`];
  };
  const run = async (args: readonly string[], token = TOKEN): Promise<Ran> =>
    btfctl(['fleet', 'kernels', ...args], { KUBECONFIG: kubeconfig({ token }), HOME: certificates.dir });

  test('asks the daemons of the Service, with the names of the nodes in their certificates', async () => {
    const ran = await run(['--kubernetes', 'btfd/btfd', ...tls('{name}.nodes.example'), '-o', 'json']);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      builds: [{ nodes: ['web1'] }],
      nodes: NODES,
      complete: false,
    });
    expect(ran.status).toBe(9);
  });

  test('asks the nodes of a zone', async () => {
    const zone = ['--selector', 'topology.kubernetes.io/zone=eu-central-1a'];
    const ran = await run(['--kubernetes', 'btfd/btfd', ...tls('btfd.btfd.svc'), ...zone, '-o', 'name']);
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(ran.stdout).toMatch(/^[\da-f]{64}\n$/);
    const other = ['--selector', 'topology.kubernetes.io/zone=eu-central-1b'];
    const source = ['--kubernetes', 'btfd/btfd', ...tls('btfd.btfd.svc')];
    const unready = await run([...source, ...other, '-o', 'json']);
    expect([unready.status, JSON.parse(unready.stdout).nodes]).toMatchObject([6, [{ name: 'web2' }]]);
    // A node has all labels.
    expect(await run([...source, ...zone, ...other])).toEqual({
      status: 3,
      stdout: '',
      stderr:
        'btfctl: none of 2 nodes of Service btfd/btfd has topology.kubernetes.io/zone=eu-central-1a' +
        ' and topology.kubernetes.io/zone=eu-central-1b\n',
    });
  });

  test.each<[string[], number, string]>([
    [['--kubernetes', 'btfd'], 2, '--kubernetes "btfd" is not NAMESPACE/SERVICE'],
    [['--kubernetes', 'a/b', '--selector', 'zone'], 2, '--selector "zone" is not KEY=VALUE'],
    [['--kubernetes', 'a/b/c'], 2, '--kubernetes "a/b/c" is not NAMESPACE/SERVICE'],
    [
      ['--kubernetes', 'B/b'],
      2,
      '--kubernetes: must be a name of at most 63 characters a-z, 0-9 and -, not "B"',
    ],
    [['--kube-context', 'x', '--dns', 'a:1'], 2, '--kube-context is an option of --kubernetes'],
    [['--kubernetes', 'btfd/btfd', '--dns', 'a:1'], 2, '--dns and --kubernetes both name nodes'],
    [['--kubernetes', 'btfd/other'], 3, 'the Service "other" in the namespace "btfd" has no endpoints'],
    [
      ['--kubernetes', 'btfd/btfd', '--kube-context', 'x'],
      1,
      'the kubeconfig has no cluster for the context "x": it has the contexts test',
    ],
  ])('fails with %j', async (args, exit, message) => {
    const ran = await run(args);
    expect({ status: ran.status, stdout: ran.stdout }).toEqual({ status: exit, stdout: '' });
    expect(ran.stderr).toContain(message);
  });

  test('says which credentials the API server does not accept', async () => {
    const ran = await run(['--kubernetes', 'btfd/btfd'], 'another');
    expect(ran).toMatchObject({
      status: 7,
      stderr: expect.stringContaining('does not accept the credentials, check the user of the context'),
    });
  });
});

/** The folders of a pod in a mount namespace of its own: its service account, and the Secret of the Job. */
const IN_POD = `
  account=/var/run/secrets/kubernetes.io/serviceaccount
  mount -t tmpfs none /var/run && mkdir -p $account && printf %s "$TOKEN" > $account/token &&
  printf %s btfd > $account/namespace && cp "$1/ca.crt" $account/ca.crt &&
  mount -t tmpfs none /etc && mkdir /etc/btfd-client && cp "$1/ca.crt" "$1/tls.crt" "$1/tls.key" /etc/btfd-client &&
  shift && exec env -i HOME=/home/nonroot KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT="$PORT" "$@"`;

needs('root', 'unshare').test(
  'The command of the Job asks the fleet with the service account of its pod',
  async () => {
    const job = new Job(readManifests(readFileSync(JOB, 'utf8')).find(({ kind }) => kind === 'Job'));
    const args = job.spec?.template.spec?.containers[0]?.args ?? [];
    const ran = await new Promise<{ stdout: string; stderr: string }>((resolve) => {
      execFile(
        'unshare',
        ['--mount', 'sh', '-ec', IN_POD, 'sh', certificates.dir, process.execPath, BTFCTL, ...args],
        { env: { PATH: process.env['PATH'], TOKEN, PORT: String(api.port) } },
        (_error, stdout, stderr) => resolve({ stdout, stderr }),
      );
    });
    expect(ran.stderr).toContain('1 not ready');
    expect(JSON.parse(ran.stdout)).toMatchObject({
      builds: [{ nodes: ['web1'] }],
      nodes: NODES,
    });
  },
);
