import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The files of the repository that each package has in addition to those in its folder, at the same paths. */
const SHARED = {
  '@btfd/api': [
    'docs/protocol.md',
    'docs/grpc-tools.md',
    'docs/versions.md',
    'examples/go',
    'examples/python',
    'proto/btf',
    'proto/google',
  ],
  '@btfd/btf': ['docs/btf-library.md'],
  '@btfd/cli': ['docs/btfctl.md', 'docs/compat.md', 'examples/bpf/agent.bpf.c', 'examples/bpf/agent.bpf.o'],
  '@btfd/client': ['docs/errors.md', 'docs/fd.md', 'docs/guide.md', 'docs/lifecycle.md'],
  '@btfd/fleet': ['docs/fleet.md'],
  '@btfd/native': [],
  '@btfd/server': [
    'deploy',
    'docs/kernels.md',
    'docs/loads.md',
    'docs/logging.md',
    'docs/metrics.md',
    'docs/operations.md',
    'docs/performance',
    'docs/performance.md',
    'docs/security.md',
  ],
};
/** The files that every package has. */
const EVERYWHERE = ['CHANGELOG.md', 'LICENSE', 'SECURITY.md'];

/**
 * copyTexts writes the documents of a package into its copy: its readme, and the shared files. Links to files that the package
 * does not have become links into the public repository. Without one, they become the name of the package that has the file.
 *
 * @param {{ folder: string; manifest: { name: string; version: string } }} published the package
 * @param {string} copy the folder of the copy
 * @param {string | undefined} repository the address of the public repository, without a slash at its end
 * @returns {string[]} the paths of the shared files
 * @throws Error if the package has no entry in the table, or a file does not exist.
 */
export function copyTexts({ folder, manifest }, copy, repository) {
  const shared = SHARED[manifest.name];
  if (shared === undefined) throw new Error(`scripts/package-texts.js has no files for ${manifest.name}`);
  const own = relative(ROOT, folder);
  for (const path of [...EVERYWHERE, ...shared]) {
    const target = join(copy, path);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(ROOT, path), target, { recursive: true });
  }
  const link = (target, text) =>
    repository === undefined
      ? withPlace(target, text)
      : `[${text}](${repository}/blob/v${manifest.version}/${target})`;
  const documents = [...EVERYWHERE, ...shared].filter((path) => path.endsWith('.md'));
  for (const [from, to] of [
    [join(own, 'README.md'), 'README.md'],
    ...documents.map((path) => [path, path]),
  ]) {
    const text = readFileSync(join(ROOT, from), 'utf8');
    writeFileSync(join(copy, to), packagedText(text, { from, to, own, shared, link }));
  }
  return [...EVERYWHERE, ...shared];
}

/** Returns a document with links that work in the package, and without the comments for the tools of the repository. */
function packagedText(markdown, { from, to, own, shared, link }) {
  return markdown
    .replaceAll(/^<!-- .* -->\n\n?/gm, '')
    .replaceAll(/\[([^\]]+)\]\((?!https?:|#)([^)#\s]+)((?:#[^)\s]*)?)\)/g, (whole, text, file, anchor) => {
      const path = posix.normalize(posix.join(posix.dirname(from), file));
      const there = pathIn(path, own, shared);
      if (there === null) return link(`${path}${anchor}`, text);
      return `[${text}](${posix.relative(posix.dirname(to), there)}${anchor})`;
    });
}

/** Returns where a file of the repository is in a package, or null if the package does not have it. */
function pathIn(path, own, shared) {
  if (path.startsWith(`${own}/`)) return path.slice(own.length + 1);
  return isIn(path, [...EVERYWHERE, ...shared]) ? path : null;
}

/** Returns the text of a link with the place of its file, in words. */
function withPlace(target, text) {
  const [path = ''] = target.split('#');
  const [, folder] = /^(packages\/\w+|native)(?:\/|$)/.exec(path) ?? [];
  const owner =
    folder === undefined
      ? Object.keys(SHARED).find((name) => isIn(path, SHARED[name]))
      : JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')).name;
  if (owner === undefined) return `${text} in the repository`;
  if (path === folder || basename(path) === 'README.md')
    return text.includes(owner) ? text : `${text} of \`${owner}\``;
  const file = folder === undefined ? path : path.slice(folder.length + 1);
  const place = `\`${file}\` of \`${owner}\``;
  return file.endsWith(text.replaceAll('`', '')) ? place : `${text} (${place})`;
}

/** Whether a list names a file, or a folder that has it. */
function isIn(path, list) {
  if (!existsSync(join(ROOT, path))) throw new Error(`a document links to ${path}, which does not exist`);
  return list.some((each) => path === each || path.startsWith(`${each}/`) || each.startsWith(`${path}/`));
}

/**
 * repositoryFields returns the fields of a package.json that lead to the public repository, or none without one.
 *
 * @param {string | undefined} repository its address
 * @param {string} folder the folder of the package in the repository
 * @returns {Record<string, unknown>}
 */
export function repositoryFields(repository, folder) {
  if (repository === undefined) return {};
  const directory = relative(ROOT, folder);
  return {
    repository: { type: 'git', url: `git+${repository}.git`, directory },
    homepage: `${repository}/tree/main/${directory}#readme`,
    bugs: `${repository}/issues`,
  };
}

/**
 * publicRepository returns `repository` of the package.json of the workspace, which is the only setting, or undefined.
 *
 * @throws Error if it is not an https address.
 */
export function publicRepository() {
  const { repository } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  if (repository === undefined) return undefined;
  if (!/^https:\/\/[^\s]+[^/\s]$/.test(repository) || repository.endsWith('.git')) {
    throw new Error(
      `invalid repository ${JSON.stringify(repository)} in package.json: use https://HOST/PATH without .git`,
    );
  }
  return repository;
}
