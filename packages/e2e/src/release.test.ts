import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SCRIPTS = join(ROOT, 'scripts');

test('Everything in the workspace has one version, and so has the image that is deployed', () => {
  const folders = [
    'native',
    'examples',
    ...readdirSync(join(ROOT, 'packages')).map((name) => `packages/${name}`),
  ];
  const versions = folders.map((folder) => {
    const manifest: { version: string } = JSON.parse(
      readFileSync(join(ROOT, folder, 'package.json'), 'utf8'),
    );
    return [folder, manifest.version];
  });
  const version = versions[0]?.[1];
  expect(version).toMatch(/^\d+[.]\d+[.]\d+/);
  expect(versions).toEqual(folders.map((folder) => [folder, version]));
  const daemonSet = readFileSync(join(ROOT, 'deploy/kubernetes/daemon-set.yaml'), 'utf8');
  expect(/image: .*:(\S+)$/m.exec(daemonSet)?.[1]).toBe(version);
});

describe('a release', () => {
  const dir = mkdtempSync(join(tmpdir(), 'btfd-release-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  /** A repository with two packages, and the scripts. */
  const repository = (name: string, versions: readonly string[]): string => {
    const root = join(dir, name);
    cpSync(SCRIPTS, join(root, 'scripts'), { recursive: true });
    mkdirSync(join(root, 'native'));
    mkdirSync(join(root, 'packages/api'), { recursive: true });
    const manifest = (of: string, version = ''): string =>
      JSON.stringify({ name: of, version, type: 'module' });
    writeFileSync(join(root, 'package.json'), manifest('workspace'));
    writeFileSync(join(root, 'native/package.json'), manifest('@btfd/native', versions[0]));
    writeFileSync(join(root, 'packages/api/package.json'), manifest('@btfd/api', versions[1]));
    const git = (...args: string[]) => execFileSync('git', ['-C', root, ...args], { stdio: 'pipe' });
    git('init', '-q');
    git('add', '-A');
    git('-c', 'user.name=t', '-c', 'user.email=t@example.com', 'commit', '-qm', 'all');
    return root;
  };
  const release = (root: string) =>
    spawnSync(process.execPath, ['scripts/release.js', '--no-check'], { cwd: root, encoding: 'utf8' });

  test('is refused where something is not committed, and nothing is made', () => {
    const root = repository('dirty', ['1.0.0', '1.0.0']);
    writeFileSync(join(root, 'packages/api/new.js'), '');
    const { status, stderr } = release(root);
    expect([status, stderr]).toEqual([1, expect.stringContaining('packages/api/new.js')]);
    expect(existsSync(join(root, 'release'))).toBe(false);
  });

  test('is refused where packages differ in version', () => {
    const { status, stderr } = release(repository('versions', ['1.0.0', '1.0.1']));
    expect([status, stderr]).toEqual([1, expect.stringContaining('@btfd/api 1.0.1')]);
  });
});
