// Gets Debian packages of other suites than the machine's own, without a change to the machine. Sources, lists and
// downloads are in .cache/apt. The mirrors are those of the machine's own suite and of its security updates.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HOME = fileURLToPath(new URL('../.cache/apt', import.meta.url));

/** The keys in the package debian-archive-keyring. Without the file, apt uses the keys that it trusts by default. */
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Writes the sources of some suites, such as `sid` or `bookworm-security`, and downloads their lists. */
export function useSuites(suites) {
  rmSync(join(HOME, 'lists'), { recursive: true, force: true });
  for (const folder of ['parts', 'lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(HOME, folder), { recursive: true });
  }
  const mirrors = machineMirrors();
  const option = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : '';
  const lines = [...new Set(suites)].map((suite) => {
    const uri = suite.endsWith('-security') ? mirrors.security : mirrors.main;
    if (uri === undefined) throw new Error(`no mirror of ${suite} in the sources of apt`);
    return `deb ${option}${uri} ${suite} main\n`;
  });
  writeFileSync(join(HOME, 'sources.list'), lines.join(''));
  apt('apt-get', ['-qq', 'update']);
}

/**
 * Downloads a version of a package into a folder.
 *
 * @param update the command that pins the newest version.
 * @throws Error if there is no such version, or its SHA-256 differs.
 */
export function download({ package: name, version, sha256 }, folder, update) {
  mkdirSync(folder, { recursive: true });
  try {
    apt('apt-get', ['-qq', 'download', `${name}=${version}`], { cwd: folder });
  } catch {
    throw new Error(
      `cannot download ${name} ${version}. Mirrors keep no old versions: if this one is gone, ` +
        `\`${update}\` pins the newest; commit that.`,
    );
  }
  const deb = readdirSync(folder).find((file) => file.startsWith(`${name}_`) && file.endsWith('.deb'));
  const actual = createHash('sha256')
    .update(readFileSync(join(folder, deb)))
    .digest('hex');
  if (actual !== sha256) throw new Error(`${deb} has SHA-256 ${actual}; expected ${sha256}`);
  return join(folder, deb);
}

/** Returns the newest version of a package in a suite, with its SHA-256. */
export function newest(name, suite) {
  const version = apt('apt-cache', ['madison', name])
    .split('\n')
    .map((line) => line.split('|').map((word) => word.trim()))
    .find(([, , source]) => source?.split(' ')[1]?.startsWith(`${suite}/`))?.[1];
  if (version === undefined) throw new Error(`no ${name} in ${suite}`);
  const record = apt('apt-cache', ['show', `${name}=${version}`]);
  return { version, sha256: /^SHA256: (\w+)$/m.exec(record)[1] };
}

/** Returns whether a suite in use has a version of a package. */
export function hasVersion(name, version) {
  return apt('apt-cache', ['madison', name])
    .split('\n')
    .some((line) => line.split('|')[1]?.trim() === version);
}

/** Returns the names of packages that match a regular expression, the oldest version first. */
export function packageNames(pattern) {
  const names = apt('apt-cache', ['search', '--names-only', pattern])
    .split('\n')
    .map((line) => line.split(' ')[0])
    .filter((name) => name !== '');
  return execFileSync('sort', ['-V'], { input: names.join('\n'), encoding: 'utf8' })
    .trim()
    .split('\n');
}

/** Returns the URIs of the machine's mirrors of Debian. */
function machineMirrors() {
  const format = '$(ORIGIN)|$(REPO_URI)|$(RELEASE)';
  const targets = execFileSync('apt-get', ['indextargets', '--format', format], { encoding: 'utf8' });
  const debian = targets
    .split('\n')
    .map((line) => line.split('|'))
    .filter(([origin]) => origin === 'Debian');
  const uriOf = (pattern) => debian.find(([, , suite]) => pattern.test(suite))?.[1];
  const main = uriOf(/^[^-]+$/);
  // A root that debootstrap made has one mirror. Mirrors keep the security updates beside it.
  return { main, security: uriOf(/-security$/) ?? main?.replace(/\/debian\/?$/, '/debian-security/') };
}

function apt(command, args, options = {}) {
  const settings = {
    'Dir::Etc::sourcelist': join(HOME, 'sources.list'),
    'Dir::Etc::sourceparts': join(HOME, 'parts'),
    'Dir::State::lists': join(HOME, 'lists'),
    'Dir::Cache': join(HOME, 'cache'),
    'APT::Sandbox::User': 'root',
  };
  const flags = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  return execFileSync(command, [...flags, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  });
}
