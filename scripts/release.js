// Makes a release of the committed files, in `release/`: the packages, their checksums and their bill of materials.
//
//     pnpm release            # everything that CI checks, then the packages
//     pnpm release --no-check # the packages alone, of a commit that CI passed
//
// It refuses a tree with changes, packages of different versions, a version that is the tag of another commit, and one
// that CHANGELOG.md does not have. One commit always gives the same bytes. To publish, run `npm publish
// release/FILE.tgz` for each, in the order of release/SHA256SUMS.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publicPackages } from './public-packages.js';
import { reproducibleSbom } from './reproducible-sbom.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const RELEASE = join(ROOT, 'release');

const version = oneVersion();
refuseChanges();
refuseReleased();
refuseUnlisted();
if (!process.argv.includes('--no-check')) run('bash', ['.ci/run']);
rmSync(RELEASE, { recursive: true, force: true });
run('npx', ['--yes', 'pnpm@12', 'build']);
// Files in `dist/` may be older than the committed sources.
run('npx', ['--yes', 'pnpm@12', 'exec', 'tsc', '-b', '--force']);
run(process.execPath, ['scripts/pack.js', RELEASE, '--all']);
writeSbom();
writeChecksums();
// The build may have changed files that are committed.
refuseChanges();
console.log(`release/ holds ${readdirSync(RELEASE).length} files of version ${version}`);

/** @returns {string} the version that all packages have */
function oneVersion() {
  const versions = publicPackages().map(({ manifest }) => `${manifest.name} ${manifest.version}`);
  const distinct = new Set(versions.map((line) => line.split(' ')[1]));
  if (distinct.size !== 1) fail(`the packages differ in version:\n  ${versions.join('\n  ')}`);
  return [...distinct][0];
}

function refuseChanges() {
  const changes = git('status', '--porcelain');
  if (changes !== '') fail(`there are changes that are not committed:\n${changes}`);
}

function refuseReleased() {
  const tag = `v${version}`;
  if (git('tag', '--list', tag) === '') return;
  if (git('rev-parse', `${tag}^{commit}`) === git('rev-parse', 'HEAD')) return;
  fail(`${tag} is a tag of another commit: give the packages a new version`);
}

function refuseUnlisted() {
  const changelog = readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8');
  if (!changelog.split('\n').includes(`## ${version}`)) fail(`CHANGELOG.md has no "## ${version}"`);
}

function writeSbom() {
  const filters = publicPackages().flatMap(({ manifest }) => ['--filter', manifest.name]);
  const options = [
    '--sbom-format',
    'cyclonedx',
    '--prod',
    '--split',
    '--out',
    join(RELEASE, '%s-%v.cdx.json'),
  ];
  run('npx', ['--yes', 'pnpm@12', ...filters, 'sbom', ...options]);
  const time = new Date(Number(git('log', '-1', '--format=%ct')) * 1000);
  for (const file of readdirSync(RELEASE).filter((name) => name.endsWith('.cdx.json'))) {
    const path = join(RELEASE, file);
    writeFileSync(path, reproducibleSbom(readFileSync(path, 'utf8'), time));
  }
}

function writeChecksums() {
  const order = inOrderOfDependencies(publicPackages().map(({ manifest }) => manifest));
  const tarballs = order.map(({ name }) => `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
  const others = readdirSync(RELEASE).filter((file) => !file.endsWith('.tgz'));
  const files = [...tarballs, ...others.toSorted()];
  const lines = files.map((file) => {
    const digest = createHash('sha256')
      .update(readFileSync(join(RELEASE, file)))
      .digest('hex');
    return `${digest}  ${file}\n`;
  });
  writeFileSync(join(RELEASE, 'SHA256SUMS'), lines.join(''));
}

/** Returns package.json files so that each package comes after those on which it depends. */
function inOrderOfDependencies(manifests) {
  const ordered = new Set();
  const add = (manifest) => {
    const names = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    for (const other of manifests) if (names.includes(other.name)) add(other);
    ordered.add(manifest);
  };
  for (const manifest of manifests) add(manifest);
  return [...ordered];
}

/** @returns {string} the output of git */
function git(...args) {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trimEnd();
}

function run(command, args) {
  execFileSync(command, args, { cwd: ROOT, stdio: 'inherit' });
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
