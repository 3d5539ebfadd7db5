import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';

/** Imports a module. Prints `read` if something reads all exports of `node:http`, as an import of it does. */
function importIt(name: string): string {
  const program = `
    const http = process.getBuiltinModule('node:http');
    const { METHODS } = http;
    const get = () => (console.log('read'), METHODS);
    Object.defineProperty(http, 'METHODS', { configurable: true, enumerable: true, get });
    await import(${JSON.stringify(name)});`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout;
}

// Since Node 22 one of its exports loads undici, which takes 25 ms of CPU time.
test.each(['@btfd/server', '@btfd/client', '@btfd/fleet'])(
  'an import of %s reads no export of node:http',
  (name) => {
    expect(importIt(name)).toBe('');
  },
);

test('an import of node:http reads them, so this test would notice', () => {
  expect(importIt('node:http')).toBe('read\n');
});
