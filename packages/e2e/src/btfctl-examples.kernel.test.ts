import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { BTFCTL } from './testing/btfctl.js';
import { BtfctlDaemon } from './testing/btfctl-daemon.js';
import type { HeldObject } from './testing/held-object.js';

const PROGRAM = fileURLToPath(new URL('../testdata/btf/program.bpf.o', import.meta.url));
const AGENT = fileURLToPath(new URL('../../cli/src/compat/testdata/agent.bpf.o', import.meta.url));

/** All commands except `load`, `watch`, `fleet watch` and `fleet register`, which run until Ctrl-C and have tests of their own. */
const COMMANDS = [
  'list',
  'dump',
  'header',
  'layout',
  'find',
  'member',
  'value',
  'diff',
  'check',
  'compat',
  'hold',
  'info',
  'context list',
  'context set',
  'context use',
  'context remove',
  'fleet kernels',
  'fleet compat',
  'fleet member',
  'fleet find',
  'fleet diff',
  'completion',
  'version',
  'help',
];

/** The results of these depend on the kernel. */
const ALSO: Readonly<Record<string, number>> = { diff: 5, compat: 8 };

needs('bpf', 'bpftool').describe('the examples in the help of btfctl work:', () => {
  let daemon: BtfctlDaemon;
  let held: HeldObject;

  beforeAll(async () => {
    daemon = await BtfctlDaemon.start();
    held = await daemon.hold();
    const file = (name: string): string => join(daemon.dir, name);
    for (const folder of ['bin', 'btfd', 'build']) mkdirSync(file(folder));
    writeFileSync(file('bin/btfctl'), `#!/bin/sh\nexec ${process.execPath} ${BTFCTL} "$@"\n`);
    chmodSync(file('bin/btfctl'), 0o755);
    const { address } = daemon.process;
    const contexts = ['web1', 'web2'].map((name) => `  ${name}:\n    address: ${address}\n`).join('');
    for (const name of ['btfd/config.yaml', 'config.yaml'])
      writeFileSync(file(name), `contexts:\n${contexts}`);
    copyFileSync('/sys/kernel/btf/vmlinux', file('vmlinux.btf'));
    writeFileSync(file('nodes.txt'), `web1 ${address}\n`);
    copyFileSync(PROGRAM, file('program.bpf.o'));
    copyFileSync(daemon.good, file('types.btf'));
    for (const name of ['agent', 'build/agent.bpf.o']) copyFileSync(AGENT, file(name));
    writeFileSync(file('value.bin'), new Uint8Array(16));
  });
  afterAll(async () => {
    await held[Symbol.asyncDispose]();
    await daemon[Symbol.asyncDispose]();
  });

  test.each(COMMANDS)('%s', async (name) => {
    const help = execFileSync(process.execPath, [BTFCTL, 'help', ...name.split(' ')], { encoding: 'utf8' });
    const [, examples = ''] = help.split('\nFor example:\n');
    const lines = examples.trim().split(/\n */);
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) {
      const here = line
        // An object that exists, and a socket on which the daemon of this test listens.
        .replaceAll(/\b(id[: ]|hold )7\b/g, `$1${held.id}`)
        .replaceAll('"unsigned int"', '1')
        .replaceAll('unix:/run/btfd/btfd.sock', daemon.process.address)
        .replaceAll('--dns btfd.btfd.svc.cluster.local:7443', '--nodes-file nodes.txt')
        // A busy machine is slow.
        .replace(/^btfctl fleet .*/, '$& --connect-timeout 60s --timeout 60s')
        // The other lines of fish are those of any shell.
        .replace('| source', '| cat');
      expect({ line, ...(await shell(here)) }).toMatchObject({ line, isExpected: true });
    }

    async function shell(command: string): Promise<object> {
      const child = spawn('bash', ['-c', command], {
        cwd: daemon.dir,
        env: {
          PATH: `${join(daemon.dir, 'bin')}:${process.env['PATH']}`,
          HOME: daemon.dir,
          XDG_CONFIG_HOME: daemon.dir,
          BTFD_ADDRESS: daemon.process.address,
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      await once(child, 'close');
      const { exitCode } = child;
      return {
        exitCode,
        stderr,
        isExpected: exitCode === 0 || exitCode === ALSO[name.split(' ').at(-1) ?? ''],
      };
    }
  });
});
