import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { DaemonSet } from 'kubernetes-models/apps/v1/DaemonSet';
import { readManifest } from './testing/manifests.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const KUBERNETES = join(ROOT, 'deploy/kubernetes');
const CONTAINERFILE = join(ROOT, 'deploy/container/Containerfile');

const BASE = join(KUBERNETES, 'base');
const REGISTER = join(KUBERNETES, 'components/register');

test('The unit and the image give Node the same flag for its memory, which NODE_OPTIONS may have', () => {
  const unit = readFileSync(join(ROOT, 'deploy/systemd/btfd.service'), 'utf8');
  const flag = /^Environment=NODE_OPTIONS=(--\S+)$/m.exec(unit)?.[1];
  expect(flag).toMatch(/^--max-semi-space-size=\d+$/);
  expect(readFileSync(CONTAINERFILE, 'utf8')).toContain(`ENTRYPOINT ["/usr/bin/node", "${flag}", `);
  // Node ends with an error if a flag is not allowed there.
  execFileSync(process.execPath, ['--eval', '0'], { env: { NODE_OPTIONS: flag } });
});

describe('The Kubernetes manifests', () => {
  test('run the daemon on every node, not as root, with one capability and a read-only file system', () => {
    const { spec } = new DaemonSet(readManifest(join(BASE, 'daemon-set.yaml')));
    const pod = spec?.template.spec;
    const container = pod?.containers[0];
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, runAsUser: 65_532 },
    });
    expect(container?.securityContext).toMatchObject({
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] },
    });
    for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) expect(pod).not.toHaveProperty(field);
    // The daemon takes its node's name from it: `nodeNameOf` of the server.
    expect(container?.env).toEqual([
      { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
    ]);
  });

  test('refer only to ports, volumes and other objects that exist', () => {
    const text = (name: string) => readFileSync(join(BASE, name), 'utf8');
    const { spec } = new DaemonSet(readManifest(join(BASE, 'daemon-set.yaml')));
    const container = spec?.template.spec?.containers[0];
    const ports = new Set(container?.ports?.map(({ name }) => name));
    const used = [
      ...[container?.startupProbe, container?.livenessProbe, container?.readinessProbe].map(
        (probe) => probe?.httpGet?.port,
      ),
      ...[
        ...(text('service.yaml') + text('network-policy.yaml')).matchAll(/(?:targetPort|- port): (\w+)/g),
      ].map(([, name]) => name),
    ];
    expect(used.length).toBe(7);
    for (const port of used) expect(ports).toContain(port);
    const volumes = spec?.template.spec?.volumes?.map(({ name }) => name);
    expect(container?.volumeMounts?.map(({ name }) => name)).toEqual(volumes);
    // The Secret has every TLS file of the settings, mounted at the path in the settings.
    const secret = readManifest(join(KUBERNETES, 'examples/secret.yaml'));
    const paths = [...text('config.yaml').matchAll(/: (\/etc\/btfd-tls)\/(\S+)/g)];
    expect(paths.map(([, , name = '']) => name).toSorted()).toEqual(
      Object.keys(secret['stringData'] ?? {}).toSorted(),
    );
    const mountOf = (volume: string) =>
      container?.volumeMounts?.find(({ name }) => name === volume)?.mountPath;
    expect(mountOf('tls')).toBe(paths[0]?.[1]);
    expect(text('config.yaml')).toContain(`policy: ${mountOf('policy')}/policy.yaml\n`);
  });
});

describe('The sidecar that registers nodes in etcd', () => {
  const { spec } = new DaemonSet(readManifest(join(REGISTER, 'daemon-set.yaml')));
  const pod = spec?.template.spec;
  const [sidecar, ...others] = pod?.containers ?? [];

  test('is one container without rights, whose files are those of its volume', () => {
    expect(others).toEqual([]);
    expect(sidecar?.securityContext).toEqual({
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
    expect(sidecar?.volumeMounts?.map(({ name }) => name)).toEqual(pod?.volumes?.map(({ name }) => name));
    const files = (sidecar?.args ?? []).flatMap((arg) => /=(\/.*\/)[^/]+$/.exec(arg)?.[1] ?? []);
    expect(new Set(files)).toEqual(new Set([`${sidecar?.volumeMounts?.[0]?.mountPath}/`]));
    const variables = (sidecar?.args ?? []).flatMap((arg) => /\$\((\w+)\)/.exec(arg)?.[1] ?? []);
    expect(variables.toSorted()).toEqual(sidecar?.env?.map(({ name }) => name).toSorted());
  });

  test('has arguments that btfctl accepts, up to the first file', () => {
    const args = (sidecar?.args ?? []).map((arg) =>
      arg.replace('$(NODE_NAME)', 'n').replace('$(POD_IP)', '10.0.0.1'),
    );
    const run = spawnSync(process.execPath, [join(ROOT, 'packages/cli/bin/btfctl.js'), ...args], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] },
    });
    expect([run.status, run.stderr]).toEqual([2, expect.stringMatching(/^btfctl: --etcd-ca: .*ENOENT/)]);
  });
});

describe('The memory limit of the daemon', () => {
  const MIB = 1024 * 1024;

  /** Returns the memory that the daemon's own limits allow in total, as `btfd config check` prints them. */
  function allowed(): number {
    const text = execFileSync(
      process.execPath,
      [join(ROOT, 'packages/server/bin/btfd.js'), 'config', 'check'],
      {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] },
      },
    );
    const limit = (name: string): number => {
      const [, value = '', unit] = new RegExp(`^${name} +(\\d+)(MiB)?`, 'm').exec(text) ?? [];
      return Number(value) * (unit === undefined ? 1 : MIB);
    };
    // At most four of the largest loads wait for the kernel.
    const loads = 4 * limit('max-btf');
    // Responses that are not complete may take as much as the kept ones.
    const specs = limit('spec-cache') + limit('max-specs-in-use') + 2 * limit('response-cache');
    // Those that arrive, wait and are checked, with their copies.
    const objects = 32 * limit('max-object');
    return limit('workers') * limit('max-worker-heap') + loads + specs + objects;
  }

  test('is larger than the sum of its own limits, so those take effect first', () => {
    const sum = allowed();
    expect(sum).toBeGreaterThan(2_400 * MIB);
    const unit = readFileSync(join(ROOT, 'deploy/systemd/btfd.service'), 'utf8');
    const { spec } = new DaemonSet(readManifest(join(BASE, 'daemon-set.yaml')));
    const bounds = [
      /^MemoryMax=(\d+)G$/m.exec(unit)?.[1],
      /^(\d+)Gi$/.exec(String(spec?.template.spec?.containers[0]?.resources?.limits?.['memory']))?.[1],
    ];
    for (const gib of bounds) expect(Number(gib) * 1024 * MIB).toBeGreaterThan(sum);
  });
});

describe('The Containerfile', () => {
  const lines = readFileSync(CONTAINERFILE, 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(/\s+/));
  const stages = lines.filter(([word]) => word === 'FROM').map(([, image, , name]) => ({ image, name }));

  test('copies only from the repository or an earlier stage', () => {
    const copies = lines.filter(([word]) => word === 'COPY').map((line) => line.slice(1, -1));
    expect(copies.length).toBeGreaterThan(3);
    for (const [first = '', ...rest] of copies) {
      if (first.startsWith('--from=')) expect(stages.map(({ name }) => name)).toContain(first.slice(7));
      else
        for (const source of [first, ...rest])
          expect([source, existsSync(join(ROOT, source))]).toEqual([source, true]);
    }
  });

  test('pins its base images, and runs as a numeric user other than root', () => {
    for (const { image } of stages) expect(image).toMatch(/^[\w.]+\/[\w./-]+:(?!latest)\S+$/);
    const last = lines.slice(lines.findLastIndex(([word]) => word === 'FROM'));
    expect(last.find(([word]) => word === 'USER')?.[1]).toBe('65532:65532');
    // The other form needs a shell, and the image has none.
    expect(last.find(([word]) => word === 'ENTRYPOINT')?.[1]).toMatch(/^\["\/usr\/bin\/node",$/);
    expect(last.some(([word]) => word === 'RUN')).toBe(false);
  });
});
