import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { DaemonSet } from 'kubernetes-models/apps/v1/DaemonSet';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { Role } from 'kubernetes-models/rbac.authorization.k8s.io/v1/Role';
import { needs } from 'test-tools';
import { DaemonProcess } from './testing/daemon-process.js';
import {
  type AnyManifest,
  apiFieldNames,
  checkManifest,
  KUBERNETES,
  readManifest,
  readManifests,
  rendered,
} from './testing/manifests.js';

const BTFD = fileURLToPath(new URL('../../server/bin/btfd.js', import.meta.url));

type Objects = readonly AnyManifest[];

function namesOf(objects: Objects): string[] {
  return objects
    .map(({ kind, metadata: { name } }) => `${kind} ${name.replace(/-[0-9a-z]{10}$/, '')}`)
    .toSorted();
}

/** Fields whose value is a map with keys that the user chooses. */
const MAPS = new Set([
  'annotations',
  'data',
  'labels',
  'limits',
  'matchLabels',
  'nodeSelector',
  'requests',
  'stringData',
]);

/** Returns the names of fields, without keys that the user chooses. */
function fieldNames(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(fieldNames);
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.entries(value).filter(([name]) => !MAPS.has(name));
  return [...Object.keys(value), ...inner.flatMap(([, each]) => fieldNames(each))];
}

const KNOWN = apiFieldNames();
/** Objects that have no namespace. */
const OF_THE_CLUSTER = new Set(['Namespace', 'PriorityClass']);

function expectSchema(manifest: Objects[number]): void {
  expect(() => checkManifest(manifest)).not.toThrow();
  // The selector of a Service is a map of labels. Other selectors have the labels in a field.
  const labels = manifest.kind === 'Service' ? ['app.kubernetes.io/name'] : [];
  expect(fieldNames(manifest).filter((name) => !KNOWN.has(name))).toEqual(labels);
  const namespace = OF_THE_CLUSTER.has(manifest.kind) ? undefined : 'btfd';
  expect(manifest.metadata.namespace).toBe(namespace);
}

const BASE = [
  'ConfigMap btfd',
  'ConfigMap btfd-policy',
  'DaemonSet btfd',
  'Namespace btfd',
  'NetworkPolicy btfd',
  'PriorityClass btfd',
  'Service btfd',
  'ServiceAccount btfd',
];

needs('kubectl').describe('kubectl renders', () => {
  test('the component that registers nodes in etcd, as a second container of the daemon', () => {
    const dir = mkdtempSync(join(tmpdir(), 'btfd-kustomize-'));
    try {
      const path = (folder: string) => relative(realpathSync(dir), join(KUBERNETES, folder));
      const lines = [`resources: ['${path('base')}']`, `components: ['${path('components/register')}']`];
      writeFileSync(join(dir, 'kustomization.yaml'), lines.join('\n'));
      const objects = rendered(dir);
      expect(namesOf(objects)).toEqual([...BASE, 'NetworkPolicy btfd-register'].toSorted());
      for (const object of objects) expectSchema(object);
      const daemonSet = objects.find(({ kind }) => kind === 'DaemonSet');
      const pod = new DaemonSet(daemonSet).spec?.template.spec;
      expect(pod?.containers.map(({ name }) => name).toSorted()).toEqual(['btfd', 'register']);
      const volumes = pod?.volumes?.map(({ name }) => name);
      for (const { volumeMounts = [] } of pod?.containers ?? []) {
        for (const { name } of volumeMounts) expect(volumes).toContain(name);
      }
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test.each([
    ['base', BASE],
    [
      'overlays/production',
      [
        ...BASE,
        'Certificate btf-viewer',
        'Certificate btfd',
        'Certificate btfd-ca',
        'ConfigMap btfd-dashboard',
        'Issuer btfd-ca',
        'Issuer btfd-self-signed',
        'PrometheusRule btfd',
        'ServiceMonitor btfd',
      ],
    ],
  ])('%s, whose objects have the schemas of their APIs', (folder, names) => {
    const objects = rendered(folder);
    expect(namesOf(objects)).toEqual(names.toSorted());
    for (const object of objects) expectSchema(object);
  });

  test('a ConfigMap of settings whose name follows from its content, and one of the policy whose name stays', () => {
    const names = rendered('base').map(({ metadata: { name } }) => name);
    expect(names).toContain('btfd-policy');
    const settings = names.find((name) => /^btfd-[0-9a-z]{10}$/.test(name)) ?? '';
    const pods = JSON.stringify(rendered('base').find(({ kind }) => kind === 'DaemonSet'));
    expect(pods).toContain(`"configMap":{"name":"${settings}"}`);
    expect(pods).toContain('"configMap":{"name":"btfd-policy"}');
    expect(pods).toContain('"priorityClassName":"btfd"');
  });

  test('the image of an overlay', () => {
    const pods = JSON.stringify(rendered('overlays/production').find(({ kind }) => kind === 'DaemonSet'));
    expect(pods).toContain('"image":"registry.example.org/platform/btfd:');
  });

  test('a certificate into the Secret that the pods mount, with the name under which clients reach them', () => {
    const objects = rendered('overlays/production');
    const certificate = objects.find(
      ({ kind, metadata }) => kind === 'Certificate' && metadata.name === 'btfd',
    );
    expect(certificate).toMatchObject({
      spec: { secretName: 'btfd-tls', dnsNames: expect.arrayContaining(['btfd.btfd.svc']) },
    });
    expect(JSON.stringify(objects.find(({ kind }) => kind === 'DaemonSet'))).toContain(
      '"secretName":"btfd-tls"',
    );
    const viewer = objects.find(({ metadata }) => metadata.name === 'btf-viewer');
    expect(viewer).toMatchObject({ spec: { dnsNames: ['btf-viewer.example.org'] } });
    const policy = objects.find(({ metadata }) => metadata.name === 'btfd-policy');
    expect(policy?.['data']).toMatchObject({
      'policy.yaml': expect.stringContaining('dns:btf-viewer.example.org'),
    });
  });
});

describe('The examples', () => {
  const examples = join(KUBERNETES, 'examples');
  test.each(readdirSync(examples).filter((name) => name.endsWith('.yaml')))(
    '%s have the schema of the API',
    (name) => {
      const objects = readManifests(readFileSync(join(examples, name), 'utf8'));
      expect(objects.length).toBeGreaterThan(0);
      for (const object of objects) expectSchema(object);
    },
  );

  test('would be rejected if a field were missing, wrong or unknown', () => {
    const policy = readManifest(join(KUBERNETES, 'base/network-policy.yaml'));
    expect(() => checkManifest({ ...policy, spec: {} } as never)).toThrow('podSelector');
    expect(() => checkManifest({ ...policy, spec: { podSelector: 1 } } as never)).toThrow('object');
    expect(() => checkManifest({ ...policy, kind: 'Policy' })).toThrow('no schema');
    expect(KNOWN.has('podSelectorr')).toBe(false);
  });
});

describe('The Job that asks a fleet', () => {
  const objects = readManifests(readFileSync(join(KUBERNETES, 'examples/fleet-job.yaml'), 'utf8'));
  const named = (kind: string) => objects.find((object) => object.kind === kind);
  const job = new Job(named('Job'));
  const pod = job.spec?.template.spec;

  test('may list the EndpointSlices of its namespace, and nothing else', () => {
    const role = new Role(named('Role'));
    expect(role.rules).toEqual([
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list'] },
    ]);
    const account = named('ServiceAccount')?.metadata.name;
    expect(pod?.serviceAccountName).toBe(account);
    expect(named('RoleBinding')).toMatchObject({
      roleRef: { kind: 'Role', name: role.metadata?.name },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace: 'btfd' }],
    });
  });

  test('is admitted by the network policy of the daemons, and runs without privileges', () => {
    const policy = new NetworkPolicy(readManifest(join(KUBERNETES, 'base/network-policy.yaml')));
    const admitted = policy.spec?.ingress?.[0]?.from?.[0]?.podSelector?.matchLabels ?? {};
    expect(Object.keys(admitted)).toHaveLength(1);
    expect(job.spec?.template.metadata?.labels).toMatchObject(admitted);
    expect(pod?.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65_532 });
    const container = pod?.containers[0];
    expect(container?.securityContext).toEqual({
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
    expect(container?.volumeMounts?.map(({ name }) => name)).toEqual(pod?.volumes?.map(({ name }) => name));
  });

  test('names the Service, its port, and the certificates of cert-manager', () => {
    const args = pod?.containers[0]?.args ?? [];
    const service = readManifest(join(KUBERNETES, 'base/service.yaml'));
    expect(args).toContain(`--kubernetes=${service.metadata.namespace}/${service.metadata.name}`);
    expect(service['spec']).toMatchObject({
      ports: expect.arrayContaining([expect.objectContaining({ name: 'grpc' })]),
    });
    const certificates = join(KUBERNETES, 'components/cert-manager');
    const viewer = readManifest(join(certificates, 'viewer-certificate.yaml'));
    expect(viewer['spec']).toMatchObject({ secretName: pod?.volumes?.[0]?.secret?.secretName });
    const server = readManifest(join(certificates, 'server-certificate.yaml'));
    const [name] = args.flatMap((arg) => /^--tls-server-name=(.*)$/.exec(arg)?.[1] ?? []);
    expect(server['spec']).toMatchObject({ dnsNames: expect.arrayContaining([name]) });
  });
});

test('The daemon starts with the settings and the policy of the base', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'btfd-base-'));
  try {
    const certificates = join(dir, 'certs');
    execFileSync(process.execPath, [BTFD, 'certs', 'init', certificates], { stdio: 'ignore' });
    // The paths and the address are those of a pod.
    const settings = readFileSync(join(KUBERNETES, 'base/config.yaml'), 'utf8')
      .replaceAll('/etc/btfd-tls/tls.crt', join(certificates, 'server.crt'))
      .replaceAll('/etc/btfd-tls/tls.key', join(certificates, 'server.key'))
      .replaceAll('/etc/btfd-tls/ca.crt', join(certificates, 'ca.crt'))
      .replaceAll('/etc/btfd-policy/policy.yaml', join(KUBERNETES, 'base/policy.yaml'))
      .replaceAll('0.0.0.0:7443', '127.0.0.1:0');
    expect(settings).not.toContain('/etc/');
    writeFileSync(join(dir, 'config.yaml'), settings, { mode: 0o600 });
    await using daemon = await DaemonProcess.start({
      args: ['--config', join(dir, 'config.yaml'), '--btf-dir', dir],
      listen: false,
    });
    expect(daemon.tcpPort()).not.toBeNull();
  } finally {
    rmSync(dir, { recursive: true });
  }
});
