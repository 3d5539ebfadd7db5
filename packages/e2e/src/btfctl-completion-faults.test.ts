import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ServerCredentials } from '@grpc/grpc-js';
import { Builder } from '@btfd/btf';
import { FakeDaemon } from '@btfd/client/testing';
import { needs } from 'test-tools';
import { btfctl } from './testing/btfctl.js';
import { openShell, SHELL_TOOLS, SHELLS } from './testing/completing-shell.js';
import { TestCertificates } from './testing/test-certificates.js';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'btfctl-completion-'));
  // Tab must not fall back to these.
  for (const name of ['mod_file.txt', 'x.txt']) writeFileSync(join(dir, name), '');
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Completes the last of some words for fish. Returns the lines of the answer. */
async function complete(words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string[]> {
  const args = ['__complete', 'fish', words.at(-1) ?? '', ...words.slice(0, -1)];
  const { stdout, stderr, status } = await btfctl(args, { BTFCTL_COMPLETION_TIMEOUT: '5m', ...env });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.split('\n').slice(0, -1);
}

const btf = new Builder().marshal();

/** Names that would run a command, change the terminal or add words, if anything interpreted them. */
const HOSTILE = [
  'mod_$(touch ran)',
  'mod_`touch ran`',
  'mod_;touch ran',
  "mod_'touch ran'",
  'mod_"x',
  'mod_\nmod_injected',
  'mod_\u001B]0;title\u0007',
  'mod_ x',
  'mod_\t--help',
  'mod_*',
  'mod_:x',
  '--mod',
];

describe.each(SHELLS)('%s', (shell) => {
  needs('tmux', ...SHELL_TOOLS[shell]).describe('is safe:', () => {
    test('names of a hostile daemon neither run nor break the line', async () => {
      await using daemon = await FakeDaemon.start({
        objects: [...HOSTILE, 'mod_plain'].map((name) => ({ name, btf, origin: 'module' as const })),
      });
      await using terminal = await openShell(shell, dir, {});
      const line = `btfctl --address ${daemon.address} dump`;
      expect(await terminal.tab(`${line} mo`)).toBe(`${line} mod_plain `);
      expect(await terminal.tab(`${line} --`)).toBe(`${line} --`);
      expect(readdirSync(dir)).not.toContain('ran');
    });

    test('commands and variables in the line are not run', async () => {
      await using terminal = await openShell(shell, dir, { BTFCTL_COMPLETION_TIMEOUT: '500ms' });
      const line = 'btfctl --address "$(touch ran)" list mo';
      expect(await terminal.tab(line)).toBe(line);
      expect(readdirSync(dir)).not.toContain('ran');
    });

    test('a daemon that does not respond completes nothing, not even files', async () => {
      await using silent = await listening();
      await using terminal = await openShell(shell, dir, { BTFCTL_COMPLETION_TIMEOUT: '' });
      const line = `btfctl -a 127.0.0.1:${silent.port} list mo`;
      expect(await terminal.tab(line)).toBe(line);
      expect(terminal.screen()).not.toMatch(/mod_file|error|hint|btfctl:/);
    });

    test('an answer of a later version, an error and no btfctl at all complete nothing', async () => {
      const bin = mkdtempSync(join(tmpdir(), 'btfctl-bin-'));
      const program = join(bin, 'btfctl');
      // The script of this version, then another program of that name.
      const script = join(dir, `script.${shell}`);
      writeFileSync(script, (await btfctl(['completion', shell])).stdout);
      await using terminal = await openShell(
        shell,
        dir,
        { PATH: `${bin}:/usr/bin:/bin` },
        `source ${script}`,
      );
      for (const text of ['echo later; echo mod_x', 'echo "unknown command" >&2; exit 2', 'exit 0', null]) {
        if (text === null) rmSync(program);
        else writeFileSync(program, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
        expect(await terminal.tab('btfctl list mo')).toBe('btfctl list mo');
      }
      expect(terminal.screen()).not.toContain('unknown');
      rmSync(bin, { recursive: true });
    });

    test('the program that is typed is asked, also with spaces in its path', async () => {
      const bin = join(dir, 'my tools');
      mkdirSync(bin, { recursive: true });
      const kind = shell === 'zsh' ? 'words 0 0' : 'words';
      writeFileSync(join(bin, 'btfctl'), `#!/bin/sh\necho ${kind}; echo from_there\n`, { mode: 0o755 });
      await using terminal = await openShell(shell, dir, {});
      expect(await terminal.tab(`${dir}/my\\ tools/btfctl fro`)).toBe(`${dir}/my\\ tools/btfctl from_there `);
      expect(await terminal.tab('btfctl lay')).toBe('btfctl layout ');
    });
  });
});

/** A server that accepts connections and never responds. */
async function listening(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer(() => {});
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

test('of 10,000 objects, 1000 are offered', async () => {
  const objects = Array.from({ length: 10_000 }, (_, at) => ({ name: `mod_${at}`, btf }));
  await using daemon = await FakeDaemon.start({ objects });
  const [kind, ...words] = await complete(['-a', daemon.address, 'list', 'mod_']);
  expect([kind, words.length, words[0], words.at(-1)]).toEqual(['words', 1000, 'mod_0', 'mod_9999']);
});

test('the options of TLS on the line, and the context on it, choose the daemon', async () => {
  using certificates = await TestCertificates.make();
  const { cert, key } = await certificates.issueServer();
  const pem = (text: string): Buffer => Buffer.from(text);
  await using daemon = await FakeDaemon.start({
    objects: [{ name: 'mod_tls', btf }],
    credentials: ServerCredentials.createSsl(
      pem(certificates.ca),
      [{ private_key: pem(key), cert_chain: pem(cert) }],
      true,
    ),
  });
  const client = await certificates.issueClient(['spiffe://test/reader']);
  const file = (name: string, text: string): string => {
    const path = join(dir, name);
    writeFileSync(path, text);
    return path;
  };
  const files = ['--tls-ca', certificates.files.ca, '--tls-cert', file('me.crt', client.cert)];
  const tls = [...files, '--tls-key', file('me.key', client.key), '--tls-server-name=localhost'];
  expect(await complete(['-a', daemon.address, ...tls, 'dump', 'mod_t'])).toEqual(['words', 'mod_tls']);
  expect(await complete(['-a', daemon.address, 'dump', 'mod_t'])).toEqual(['words']);
  expect(await complete(['dump', 'mod_t', `--address=${daemon.address}`, ...tls, '--type', 'x'])).toEqual([
    'words',
  ]);
  const config = file('tls.yaml', '');
  const set = await btfctl(['--config', config, 'context', 'set', 'far', '-a', daemon.address, ...tls]);
  expect(set.status).toBe(0);
  expect(await complete(['--config', config, '--context', 'far', 'list', 'mod_t'])).toEqual([
    'words',
    'mod_tls',
  ]);
  const env = { BTFCTL_CONFIG: config, BTFD_CONTEXT: 'far' };
  expect(await complete(['list', 'mod_t'], env)).toEqual(['words', 'mod_tls']);
  expect(await complete(['diff', 'vmlinux', '@far/mod_t'], { BTFCTL_CONFIG: config })).toEqual([
    'words',
    '@far/mod_tls',
  ]);
});

needs('vmlinux').test('without a daemon, names and types are those of this machine', async () => {
  const env = { XDG_RUNTIME_DIR: '/nonexistent', HOME: '/nonexistent', BTFD_SOCKET: '' };
  expect(await complete(['list', 'vml'], env)).toEqual(['words', 'vmlinux']);
  expect(await complete(['layout', 'list_hea'], env)).toEqual(['words', 'list_head']);
});
