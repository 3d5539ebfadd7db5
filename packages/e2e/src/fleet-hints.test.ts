import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { endpoint, endpointSlice, KubernetesApi, kubeconfigOf } from 'test-tools/kubernetes-api';
import { FakeDaemon } from '@btfd/client/testing';
import { adviceIn, isPrinted } from './testing/advice.js';
import { btfctl, type Ran } from './testing/btfctl.js';
import { intBtf } from './testing/sample-btf.js';

/** All files but those of `btfctl fleet`. hints.kernel.test.ts has the others. */
const NOT_OF_FLEET = /^(?!fleet\/|command\/fleet)/;

/** Follow is a hint, the arguments that print it, and those of a user who follows it, which succeed. */
interface Follow {
  /** The text in the sources, or printed. */
  readonly text: string;
  readonly wrong: string;
  readonly right: string;
}

/** The flags of the sources of nodes, which share a hint. */
const SOURCES = '--dns or --kubernetes or --etcd or --nodes-file or --contexts';
const NODES = '--nodes-file DIR/nodes.txt';

const FOLLOWED: readonly Follow[] = [
  ...[NODES, '--contexts web*', '--kubernetes btfd/btfd'].map((source) => ({
    text: `no nodes are named\nhint: name them with ${SOURCES}, or with fleet in the config file`,
    wrong: 'kernels',
    right: `kernels ${source}`,
  })),
  {
    text: `--address names one daemon, but a fleet has many\nhint: name its nodes with ${SOURCES}`,
    wrong: 'kernels --address ADDRESS',
    right: `kernels ${NODES}`,
  },
  {
    text: '--context names one daemon, but a fleet has many',
    wrong: 'kernels --context web1',
    right: 'kernels --contexts web1',
  },
  {
    text: '--nodes-file and --contexts both name nodes: use only one of them',
    wrong: `kernels --contexts web* ${NODES}`,
    right: 'kernels --contexts web*',
  },
  { text: '--srv is an option of --dns', wrong: `kernels ${NODES} --srv`, right: `kernels ${NODES}` },
  {
    text: '--kube-context is an option of --kubernetes',
    wrong: `kernels ${NODES} --kube-context test`,
    right: 'kernels --kubernetes btfd/btfd --kube-context test',
  },
  {
    text: '--prefix is an option of --etcd',
    wrong: `kernels ${NODES} --prefix /x/`,
    right: `kernels ${NODES}`,
  },
  {
    text: '--kubernetes … is not NAMESPACE/SERVICE',
    wrong: 'kernels --kubernetes btfd',
    right: 'kernels --kubernetes btfd/btfd',
  },
  {
    text: '--selector … is not KEY=VALUE',
    wrong: 'kernels --kubernetes btfd/btfd --selector zone',
    right: 'kernels --kubernetes btfd/btfd --selector topology.kubernetes.io/zone=eu-central-1a',
  },
  ...['@web1', 'DIGEST', 'DIR/vmlinux.btf'].map((from) => ({
    text: '--from … is not a kernel',
    wrong: `diff ${NODES} --from vmlinux --type int`,
    right: `diff ${NODES} --from ${from} --type int`,
  })),
  {
    text: 'line 1 has 3 words: use NAME ADDRESS, or ADDRESS',
    wrong: 'kernels --nodes-file DIR/words.txt',
    right: `kernels ${NODES}`,
  },
  {
    text: 'invalid address "web1": use unix:/PATH or HOST:PORT',
    wrong: 'kernels --nodes-file DIR/name.txt',
    right: `kernels ${NODES}`,
  },
];

/** The texts that another test follows, or that are a part of another, by the test. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  'e2e/src/btfctl-etcd.test.ts': [
    'name its members with --etcd HOST:PORT,HOST:PORT',
    'name its address for others with --advertise HOST:PORT',
    '--label … is not KEY=VALUE',
    '--etcd-user has no password',
    'set …, or name a file with --etcd-password-file',
    '--etcd-password-file needs --etcd-user',
    '--etcd-cert and --etcd-key need --etcd-ca, the authorities of etcd',
    '--etcd-ca',
    '--etcd-cert',
    '--etcd-key',
    '--etcd-password-file',
    '--etcd-ca, --etcd-cert or --etcd-key',
    '--etcd-user',
    '--prefix',
    '--name',
    '--advertise',
    '--label',
  ],
  // Flags of V8, which btfctl sets.
  'fleet/open-fleet.ts': ['--optimize-for-size', '--no-maglev'],
  // The parts of the hint about sources.
  'fleet/node-source.ts': [
    '--dns',
    '--kubernetes',
    '--etcd',
    '--nodes-file',
    '--contexts',
    '--context',
    '--address',
  ],
  'below: --nodes': ['--nodes lists all of them'],
};

let daemon: FakeDaemon;
let api: KubernetesApi;
const dir = mkdtempSync(join(tmpdir(), 'btfctl-fleet-hints-'));
const BTF = intBtf(4, 'int');
/** As many digits as btfctl shows. */
const DIGEST = createHash('sha256').update(BTF).digest('hex').slice(0, 8);

beforeAll(async () => {
  daemon = await FakeDaemon.start({ nodeName: 'web1', objects: [{ name: 'vmlinux', btf: BTF }] });
  const { address } = daemon;
  const port = Number(/\d+$/.exec(address)?.[0]);
  api = await KubernetesApi.start({
    slices: [
      endpointSlice('btfd-a', {
        ports: [{ name: 'grpc', protocol: 'TCP', port }],
        endpoints: [endpoint('web1', '127.0.0.1')],
      }),
    ],
  });
  const cluster = { 'insecure-skip-tls-verify': true };
  const files = {
    'nodes.txt': `web1 ${address}\n`,
    'words.txt': `web1 ${address} b\n`,
    'name.txt': 'web1\n',
    'config.yaml': `contexts:\n  web1: { address: '${address}' }\n`,
    kubeconfig: kubeconfigOf({ server: `http://127.0.0.1:${api.port}`, cluster, user: {} }),
    'vmlinux.btf': BTF,
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
});
afterAll(async () => {
  await daemon.stop();
  await api[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

async function run(line: string): Promise<Ran> {
  const words = line
    .split(' ')
    .map((word) => word.replace('DIR', dir).replace('ADDRESS', daemon.address).replace('DIGEST', DIGEST));
  const env = { BTFCTL_CONFIG: join(dir, 'config.yaml'), KUBECONFIG: join(dir, 'kubeconfig') };
  return btfctl(['fleet', ...words], env);
}

describe('Each hint of btfctl fleet leads there:', () => {
  test.each(FOLLOWED)('$text ($right)', async ({ text, wrong, right }) => {
    const failed = await run(wrong);
    expect(failed).toMatchObject({ status: 2, stdout: '' });
    expect({ stderr: failed.stderr, printed: isPrinted(text, failed.stderr) }).toMatchObject({
      printed: true,
    });
    expect(await run(`${right} --connect-timeout 60s --timeout 60s`)).toMatchObject({
      status: 0,
      stderr: '',
    });
  });

  test('--nodes lists all of the nodes that a message leaves out', async () => {
    const names = ['a', 'bb', 'c-c', 'd.d', 'ee-e', 'f'];
    writeFileSync(join(dir, 'gone.txt'), names.map((name) => `${name} unix:/none/${name}\n`).join(''));
    const cut = await run('kernels --nodes-file DIR/gone.txt');
    expect(cut.stderr).toMatch(/: a, bb, c-c, d\.d and 2 more\nbtfctl: note: --nodes lists all of them\n$/);
    const all = await run('kernels --nodes-file DIR/gone.txt --nodes');
    expect(all.stderr).not.toContain('--nodes');
    for (const name of names) expect(all.stdout.split(/\s+/)).toContain(name);
  });

  test('all are followed by a test', () => {
    const known = [...FOLLOWED.map(({ text }) => text), ...Object.values(ELSEWHERE).flat()];
    for (const text of adviceIn('cli', NOT_OF_FLEET)) expect(known).toContain(text);
  });
});
