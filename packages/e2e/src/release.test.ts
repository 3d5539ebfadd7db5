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

test('All packages, the deployed image and the changelog have the same version', () => {
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
  expect(readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8').split('\n')).toContain(`## ${version}`);
  for (const name of ['base/daemon-set.yaml', 'examples/fleet-job.yaml']) {
    const manifest = readFileSync(join(ROOT, 'deploy/kubernetes', name), 'utf8');
    expect([name, /image: .*:(\S+)$/m.exec(manifest)?.[1]]).toEqual([name, version]);
  }
});

describe('a release', () => {
  const dir = mkdtempSync(join(tmpdir(), 'btfd-release-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  /** Makes a repository with two packages and the scripts. */
  const repository = (name: string, versions: readonly string[]): string => {
    const root = join(dir, name);
    cpSync(SCRIPTS, join(root, 'scripts'), { recursive: true });
    mkdirSync(join(root, 'native'));
    mkdirSync(join(root, 'packages/api'), { recursive: true });
    const manifest = (of: string, version = ''): string =>
      JSON.stringify({ name: of, version, type: 'module' });
    writeFileSync(join(root, 'package.json'), manifest('workspace'));
    writeFileSync(join(root, 'CHANGELOG.md'), '# Changelog\n\n## 1.0.0\n\nFirst version.\n');
    writeFileSync(join(root, 'native/package.json'), manifest('@btfd/native', versions[0]));
    writeFileSync(join(root, 'packages/api/package.json'), manifest('@btfd/api', versions[1]));
    git(root, 'init', '-q');
    commit(root);
    return root;
  };
  const git = (root: string, ...args: string[]) =>
    execFileSync('git', ['-C', root, ...args], { stdio: 'pipe' });
  const commit = (root: string): void => {
    git(root, 'add', '-A');
    git(root, '-c', 'user.name=t', '-c', 'user.email=t@example.com', 'commit', '-qm', 'all');
  };
  const release = (root: string) =>
    spawnSync(process.execPath, ['scripts/release.js', '--no-check'], { cwd: root, encoding: 'utf8' });

  test('is refused if a file is not committed, and writes nothing', () => {
    const root = repository('dirty', ['1.0.0', '1.0.0']);
    writeFileSync(join(root, 'packages/api/new.js'), '');
    const { status, stderr } = release(root);
    expect([status, stderr]).toEqual([1, expect.stringContaining('packages/api/new.js')]);
    expect(existsSync(join(root, 'release'))).toBe(false);
  });

  test('is refused if packages have different versions', () => {
    const { status, stderr } = release(repository('versions', ['1.0.0', '1.0.1']));
    expect([status, stderr]).toEqual([1, expect.stringContaining('@btfd/api 1.0.1')]);
  });

  test('is refused if another commit has the tag of the version', () => {
    const root = repository('tagged', ['1.0.0', '1.0.0']);
    git(root, 'tag', 'v1.0.0');
    writeFileSync(join(root, 'packages/api/new.js'), '');
    commit(root);
    const { status, stderr } = release(root);
    expect([status, stderr]).toEqual([
      1,
      'v1.0.0 is a tag of another commit: give the packages a new version\n',
    ]);
    expect(existsSync(join(root, 'release'))).toBe(false);
  });

  test('is refused if the changelog does not have the version', () => {
    const { status, stderr } = release(repository('untold', ['1.0.1', '1.0.1']));
    expect([status, stderr]).toEqual([1, 'CHANGELOG.md has no "## 1.0.1"\n']);
  });
});

test('A bill of materials does not depend on the time or on the order in which pnpm writes it', async () => {
  const { reproducibleSbom }: { reproducibleSbom: (text: string, time: Date) => string } = await import(
    join(SCRIPTS, 'reproducible-sbom.js')
  );
  const refs = ['pkg:npm/a@1', 'pkg:npm/%40b/c@2', 'pkg:npm/d@3'];
  const bom = (order: readonly string[], serialNumber: string, version = 1): string =>
    JSON.stringify({
      bomFormat: 'CycloneDX',
      serialNumber,
      version,
      metadata: { timestamp: new Date().toISOString(), component: { name: 'x' } },
      components: order.map((ref) => ({ 'bom-ref': ref, name: ref })),
      dependencies: order.map((ref) => ({ ref, dependsOn: order.filter((other) => other > ref) })),
    });
  const time = new Date('2026-01-02T03:04:05Z');
  const first = reproducibleSbom(bom(refs, 'urn:uuid:1'), time);
  expect(reproducibleSbom(bom(refs.toReversed(), 'urn:uuid:2'), time)).toBe(first);
  // The pattern in the schema of CycloneDX.
  expect(JSON.parse(first)).toMatchObject({
    serialNumber: expect.stringMatching(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    ),
    metadata: { timestamp: '2026-01-02T03:04:05.000Z', component: { name: 'x' } },
  });
  expect(JSON.parse(reproducibleSbom(bom(refs, 'urn:uuid:1', 2), time))).not.toMatchObject({
    serialNumber: JSON.parse(first).serialNumber,
  });
});
