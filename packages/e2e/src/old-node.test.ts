import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const PACKAGES = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a command with a Node that reports another version. */
function run(command: string, version: string) {
  const lie = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
  const options = ['--import', `data:text/javascript,${encodeURIComponent(lie)}`];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...options, PACKAGES + command, '--version'],
    { encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

describe.each([
  ['btfd', 'server/bin/btfd.js'],
  ['btfctl', 'cli/bin/btfctl.js'],
])('%s', (name, command) => {
  const manifest = createRequire(import.meta.url)(`${PACKAGES}${command.split('/')[0]}/package.json`);
  const { engines, version }: { engines: { node: string }; version: string } = manifest;
  const oldest = engines.node.replace('>=', '');

  test.each(['18.20.8', '20.18.3'])('names the Node that it needs if it runs with %s', (node) => {
    expect(run(command, node)).toEqual({
      status: 1,
      stdout: '',
      stderr: `${name} needs Node ${oldest} or newer; ${process.execPath} is ${node}\n`,
    });
  });

  test.each(['20.19.0', '22.1.0', '26.0.0'])('runs with Node %s', (node) => {
    expect(run(command, node)).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });
});

test('All published packages need the same Node', () => {
  const manifests = ['api', 'btf', 'client', 'fleet', 'server', 'cli', '../native'].map((folder) => {
    const { engines }: { engines: unknown } = JSON.parse(
      readFileSync(`${PACKAGES}${folder}/package.json`, 'utf8'),
    );
    return engines;
  });
  expect(manifests).toEqual(manifests.map(() => ({ node: '>=20.19' })));
});
