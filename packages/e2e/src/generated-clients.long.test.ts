import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { btfList } from './testing/bpftool.js';
import { DaemonProcess } from './testing/daemon-process.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const BUF = join(ROOT, 'node_modules/.bin/buf');
/** Go of Debian, with grpc-go and the plugins that it builds: see packages/bench/peers/build-peers.js. */
const BENCH = join(ROOT, '.cache/bench');

needs('bench-peers', 'bpf', 'bpftool').describe('a client in Go', () => {
  let daemon: DaemonProcess;
  let dir: string;

  beforeAll(async () => {
    daemon = await DaemonProcess.start();
    dir = mkdtempSync(join(tmpdir(), 'btfd-go-'));
  });
  afterAll(async () => {
    rmSync(dir, { recursive: true });
    await daemon[Symbol.asyncDispose]();
  });

  test('compiles with the generated code, lists objects and reads the details of an error', () => {
    const sources = join(dir, 'src');
    const plugins = ['protoc-gen-go', 'protoc-gen-go-grpc'].map((name) => ({
      local: join(BENCH, 'plugins', name),
      out: sources,
    }));
    const template = JSON.stringify({ version: 'v2', plugins });
    execFileSync(BUF, ['generate', 'proto', '--template', template, '--path', 'proto/btf'], { cwd: ROOT });
    expect(readdirSync(join(sources, 'btfd/btf/v1'))).toContain('btf_service_grpc.pb.go');
    cpSync(join(ROOT, 'examples/go/list-objects'), join(sources, 'list-objects'), { recursive: true });
    const program = join(dir, 'list-objects');
    go('vet', 'list-objects');
    go('build', '-o', program, 'list-objects');
    const lines = execFileSync(program, [daemon.address], { encoding: 'utf8' }).trimEnd().split('\n');
    const [vmlinux] = btfList();
    expect(lines[0]).toBe(`${vmlinux?.id ?? 0} vmlinux ORIGIN_VMLINUX ${vmlinux?.size ?? 0}`);
    expect(lines.at(-1)).toBe('NotFound BTF_ID_NOT_FOUND map[id:2147483646]');
  });

  /** Runs Go in GOPATH mode, as Debian does: its packages are source trees without modules. */
  function go(...args: readonly string[]): void {
    const libraries = join(BENCH, 'root/usr/lib');
    const root = join(libraries, readdirSync(libraries).find((name) => name.startsWith('go-')) ?? '');
    execFileSync(join(root, 'bin/go'), args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        GOROOT: root,
        GOPATH: [dir, join(BENCH, 'root/usr/share/gocode')].join(delimiter),
        GOCACHE: join(BENCH, 'go-cache'),
        GOENV: 'off',
        GOPROXY: 'off',
        GOTOOLCHAIN: 'local',
        GO111MODULE: 'off',
        CGO_ENABLED: '0',
      },
    });
  }
});
