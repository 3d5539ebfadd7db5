import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { expect, test } from '@jest/globals';

import { runNode } from './testing/run-node.js';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

/** The errors of all functions in a process with a copy of the package without its build, on a platform. */
async function failures(platform: string) {
  const copy = await mkdtemp(path.join(tmpdir(), 'btfd-native-'));
  try {
    for (const part of ['dist', 'package.json'])
      await cp(path.join(PACKAGE, part), path.join(copy, part), { recursive: true });
    await symlink(path.join(PACKAGE, 'node_modules'), path.join(copy, 'node_modules'));
    const result = await runNode(
      `
      Object.defineProperty(process, 'platform', { value: ${JSON.stringify(platform)} });
      const native = await import(${JSON.stringify(pathToFileURL(path.join(copy, 'dist/index.js')).href)});
      const calls = {
        btfLoad: () => native.btfLoad(intBtf(), 0),
        btfLoadSync: () => native.btfLoadSync(intBtf(), 0),
        btfGetFdById: () => native.btfGetFdById(1),
        btfGetNextId: () => native.btfGetNextId(0),
        progGetNextId: () => native.progGetNextId(0),
        progGetInfoById: () => native.progGetInfoById(1),
        mapGetNextId: () => native.mapGetNextId(0),
        mapGetInfoById: () => native.mapGetInfoById(1),
        progLoad: () => native.progLoad(1, new Uint8Array(8), 'GPL'),
        capabilities: () => native.capabilities(),
        notify: () => native.notify('/nonexistent', ''),
        socketInfo: () => native.socketInfo(0),
        socketPeer: () => native.socketPeer(0),
        hasUnreceived: () => native.hasUnreceived(0),
        readFile: () => native.readFile(0, new Uint8Array(1)),
        trimMemory: () => native.trimMemory(),
        fdStats: () => native.fdStats(),
        tokenCreate: () => native.tokenCreate(0),
      };
      for (const [name, call] of Object.entries(calls)) {
        try {
          await call();
        } catch (error) {
          const isTyped = error instanceof native.BpfUnavailableError;
          console.log(name, isTyped, error.message, error.cause instanceof Error);
        }
      }`,
      { withoutNative: true },
    );
    expect(result.stderr).toBe('');
    return result.stdout.trimEnd().split('\n');
  } finally {
    await rm(copy, { recursive: true });
  }
}

const FUNCTIONS = [
  'btfLoad',
  'btfLoadSync',
  'btfGetFdById',
  'btfGetNextId',
  'progGetNextId',
  'progGetInfoById',
  'mapGetNextId',
  'mapGetInfoById',
  'progLoad',
  'capabilities',
  'notify',
  'socketInfo',
  'socketPeer',
  'hasUnreceived',
  'readFile',
  'trimMemory',
  'fdStats',
  'tokenCreate',
];

test('Without its build the package can be imported, and each call throws that the addon is missing', async () => {
  const message =
    'bpf(2) is not available: the addon of @btfd/native is not built or cannot be loaded: run ' +
    '`npm rebuild @btfd/native` (with --global for a global installation, and with install scripts allowed)';
  expect(await failures('linux')).toEqual(FUNCTIONS.map((name) => `${name} true ${message} true`));
});

test('On another system the package can be imported, and each call throws that bpf(2) is a call of Linux', async () => {
  const message = 'bpf(2) is not available: bpf(2) is a system call of Linux, but this is darwin';
  expect(await failures('darwin')).toEqual(FUNCTIONS.map((name) => `${name} true ${message} false`));
});
