import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DaemonSet, type IDaemonSet } from 'kubernetes-models/apps/v1/DaemonSet';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import type { IContainer } from 'kubernetes-models/v1/Container';
import { parse } from 'yaml';
import { btfctl, type Ran } from './testing/btfctl.js';
import { type AnyManifest, rendered } from './testing/manifests.js';
import { intBtf } from './testing/sample-btf.js';
import type { ImageConfig } from './testing/oci-config.js';
import { Pod } from './testing/pod.js';
import { TestCertificates } from './testing/test-certificates.js';

/** The folder that scripts/build-image.sh makes: the files of the image, and its configuration. */
const IMAGE = realpathSync(fileURLToPath(new URL('../../../.cache/image', import.meta.url)));
const image: ImageConfig = JSON.parse(readFileSync(join(IMAGE, 'config.json'), 'utf8'));

/** The exit status of btfctl if the daemon or the caller lacks a right. */
const DENIED = 7;

const manifests = rendered('base');
const daemonSet: IDaemonSet = new DaemonSet(only('DaemonSet'));
const dir = mkdtempSync(join(tmpdir(), 'btfd-image-'));
let certificates: TestCertificates;
let objects: Map<string, Record<string, string>>;

function only(kind: string): AnyManifest {
  const [found, ...others] = manifests.filter((manifest) => manifest.kind === kind);
  if (found === undefined || others.length > 0) throw new Error(`not one ${kind}`);
  return found;
}

beforeAll(async () => {
  certificates = await TestCertificates.make();
  const read = (file: string): string => readFileSync(file, 'utf8');
  const { ca, cert, key } = certificates.files;
  objects = new Map(
    manifests
      .filter(({ kind }) => kind === 'ConfigMap')
      .map((manifest) => [manifest.metadata.name, { ...new ConfigMap(manifest).data }]),
  );
  objects.set('btfd-tls', { 'ca.crt': read(ca), 'tls.crt': read(cert), 'tls.key': read(key) });
});
afterAll(() => {
  certificates[Symbol.dispose]();
  rmSync(dir, { recursive: true });
});

/** Starts a pod of the DaemonSet, after a change to it. */
async function start(change: (container: IContainer) => void = () => {}): Promise<Pod> {
  const changed: IDaemonSet = new DaemonSet(structuredClone(only('DaemonSet')));
  const container = changed.spec?.template.spec?.containers[0];
  if (container === undefined) throw new Error('the DaemonSet has no container');
  change(container);
  return Pod.start({ set: changed, image, root: join(IMAGE, 'root'), objects, nodeName: 'web1' });
}

/** Runs btfctl in the network of a pod, with the certificate of the first principal of a role in the base's policy. */
async function call(pod: Pod, role: 'viewers' | 'loaders', ...args: readonly string[]): Promise<Ran> {
  const policy: Record<string, string[]> = parse(objects.get('btfd-policy')?.['policy.yaml'] ?? '');
  const pair = await certificates.issueClient([policy[role]?.[0]?.replace('dns:', '') ?? '']);
  const files = { cert: join(dir, `${role}.crt`), key: join(dir, `${role}.key`) };
  writeFileSync(files.cert, pair.cert);
  writeFileSync(files.key, pair.key);
  const tls = ['--tls-ca', certificates.files.ca, '--tls-cert', files.cert, '--tls-key', files.key];
  return btfctl([...args, '--address', '127.0.0.1:7443', ...tls], {}, pod.network);
}

/** Returns the status of an HTTP request in the network of a pod. */
function probe(pod: Pod, { port, path }: { port: string | number; path: string }): string {
  const ports = daemonSet.spec?.template.spec?.containers[0]?.ports;
  const number = ports?.find(({ name }) => name === port)?.containerPort;
  const program = `fetch('http://127.0.0.1:${number}${path}').then(({ status }) => console.log(String(status)))`;
  const [command, ...words] = [...pod.network, process.execPath, '-e', program];
  return execFileSync(command, words, { encoding: 'utf8' }).trim();
}

const btf = join(dir, 'types.btf');
writeFileSync(btf, intBtf(1, 'image'));

describe('The image with the rights of the manifest', () => {
  test('runs a daemon that does everything for those with a role, and has no other rights', async () => {
    await using pod = await start();
    const { securityContext, containers: [container] = [] } = daemonSet.spec?.template.spec ?? {};
    const status = readFileSync(`/proc/${pod.pid}/status`, 'latin1');
    const user = securityContext?.runAsUser;
    expect(status).toContain(`\nUid:\t${user}\t${user}\t${user}\t${user}\n`);
    // CAP_SYS_ADMIN has the number 21, and filters of system calls the mode 2.
    const one = (1n << 21n).toString(16).padStart(16, '0');
    for (const set of ['CapEff', 'CapPrm', 'CapBnd']) expect(status).toContain(`\n${set}:\t${one}\n`);
    expect(status).toContain('\nSeccomp:\t2\n');
    const mounts = readFileSync(`/proc/${pod.pid}/mountinfo`, 'utf8').split('\n');
    for (const path of ['/', ...(container?.volumeMounts ?? []).map(({ mountPath }) => mountPath)]) {
      const fields = mounts.map((line) => line.split(' ')).findLast(([, , , , at]) => at === path);
      expect([path, fields?.[5]?.split(',')[0]]).toEqual([path, 'ro']);
    }

    const info = await call(pod, 'viewers', 'info', '-o', 'json');
    expect(JSON.parse(info.stdout)).toMatchObject({
      mode: 'full',
      node_name: 'web1',
      caller: { role: 'viewer' },
    });
    expect((await call(pod, 'viewers', 'list', '-o', 'name')).stdout).toMatch(/^vmlinux$/m);
    const dump = await call(pod, 'viewers', 'dump', 'vmlinux', '--type', 'list_head', 'format', 'c');
    expect(dump.stdout).toContain('struct list_head {');
    expect((await call(pod, 'loaders', 'check', btf)).stdout).toContain('BTF accepted');
    expect((await call(pod, 'viewers', 'check', btf)).status).toBe(DENIED);
    for (const { httpGet } of [
      container?.startupProbe,
      container?.livenessProbe,
      container?.readinessProbe,
    ].flatMap((each) => each ?? []))
      expect(probe(pod, { port: httpGet?.port ?? '', path: httpGet?.path ?? '' })).toBe('200');
    expect(await pod.end()).toBe(0);
  });

  test('cannot start its Node without a capability of the manifest', async () => {
    const add = daemonSet.spec?.template.spec?.containers[0]?.securityContext?.capabilities?.add ?? [];
    expect(add.length).toBeGreaterThan(0);
    for (const missing of add) {
      const without = start(({ securityContext }) => {
        Object.assign(securityContext?.capabilities ?? {}, { add: add.filter((name) => name !== missing) });
      });
      await expect(without).rejects.toThrow(/exec \/usr\/bin\/node: operation not permitted/);
    }
  });

  test('can neither load nor open objects by id if it may gain no privileges', async () => {
    await using pod = await start(({ securityContext }) => {
      Object.assign(securityContext ?? {}, { allowPrivilegeEscalation: false });
    });
    const info = await call(pod, 'viewers', 'info', '-o', 'json');
    expect(JSON.parse(info.stdout)).toMatchObject({ mode: 'files' });
    expect(await call(pod, 'loaders', 'check', btf)).toMatchObject({ status: DENIED });
  });

  test.each(['config', 'policy', 'tls'])('does not start without the volume %s', async (volume) => {
    const without = start((container) => {
      Object.assign(container, {
        volumeMounts: container.volumeMounts?.filter(({ name }) => name !== volume),
      });
    });
    await expect(without).rejects.toThrow(/ENOENT/);
  });
});
