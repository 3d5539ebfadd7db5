// Packs every public package into a folder, as it is published:
//
//     node scripts/pack.js DIR        # the addon for this machine's architecture, and for others if there is a compiler
//     node scripts/pack.js DIR --all  # fails if a compiler for one is missing
//
// The packages must be built. Their modules are bundled in a copy, so nothing changes in the checkout.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.js';
import { copyDeclarations } from './declarations.js';
import { writeManual } from './manuals.js';
import { copyTexts, publicRepository, repositoryFields } from './package-texts.js';
import { publicPackages } from './public-packages.js';
import { thirdPartyLicenses } from './third-party-licenses.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** The file in packages that include the code of dependencies. */
const LICENSES_FILE = 'THIRD-PARTY-LICENSES.txt';
/**
 * The packages that include the code of their dependencies, so that their users do not install them, and the dependencies
 * that nevertheless stay: the addon, and the API of OpenTelemetry, of which there must be one copy.
 */
const SEPARATE = {
  '@btfd/cli': [],
  '@btfd/server': ['@btfd/native', '@opentelemetry/api'],
};

/** The dependencies that are included, but also installed for their types, which public declarations name. */
const TYPED = new Set(['pino']);

/** The entry points that only our own programs use, which include their code. */
const OWN_ENTRY_POINTS = { '@btfd/api': ['./grpc-services'] };

/** The program that starts so often, and does so little, that its start counts most. See packages/cli/src/start/. */
const COMMON_JS = '@btfd/cli';

const [dir, ...options] = process.argv.slice(2);
if (dir === undefined) throw new Error('usage: node scripts/pack.js DIR [--all]');

const destination = resolve(dir);
const repository = publicRepository();
mkdirSync(destination, { recursive: true });
execFileSync(process.execPath, ['native/scripts/prebuild.js', ...options], { cwd: ROOT, stdio: 'inherit' });
const copies = mkdtempSync(join(tmpdir(), 'btfd-pack-'));
try {
  writeFileSync(join(copies, 'package.json'), '{"private": true}');
  writeFileSync(join(copies, 'pnpm-workspace.yaml'), 'packages: ["*"]\n');
  for (const published of publicPackages()) await writeCopy(published);
  const pack = ['--recursive', '--filter', '@btfd/*', 'pack', '--pack-destination', destination];
  execFileSync('npx', ['--yes', 'pnpm@12', ...pack], { cwd: copies, stdio: ['ignore', 'ignore', 'inherit'] });
} finally {
  rmSync(copies, { recursive: true });
}

/** Writes the published files of a package: bundles of its modules, their declarations, its documents and its other files. */
async function writeCopy({ folder, manifest: whole }) {
  const manifest = { ...whole, exports: publishedExports(whole) };
  const copy = join(copies, basename(folder));
  const dist = { from: join(folder, 'dist'), to: join(copy, 'dist') };
  const dependencies = Object.keys(manifest.dependencies ?? {});
  const separate = SEPARATE[manifest.name] ?? dependencies;
  const included = dependencies.filter((name) => !separate.includes(name));
  const bundled = await bundle(entryModules(folder, manifest), dist, {
    separate: [...separate, ...Object.keys(manifest.peerDependencies ?? {})],
    isProgram: manifest.bin !== undefined,
    hasEntryPoints: '.' in manifest.exports,
    format: manifest.name === COMMON_JS ? 'cjs' : 'esm',
  });
  const types = Object.values(manifest.exports).flatMap((target) => target.types ?? []);
  const dropped = included.filter((name) => !TYPED.has(name));
  copyDeclarations(types, dist, dropped);
  for (const { require } of Object.values(manifest.exports))
    if (require !== undefined) writeForJest(copy, require);
  for (const name of manifest.files) {
    if (name === 'dist' || name === LICENSES_FILE || name.startsWith('!')) continue;
    cpSync(join(folder, name), join(copy, name), { recursive: true });
  }
  const files = [...manifest.files, ...copyTexts({ folder, manifest }, copy, repository)];
  if (manifest.name === '@btfd/api') files.push(writeDescriptors(copy));
  const man = await writeManual(manifest, join(copy, 'man'));
  if (man.length > 0) files.push('man');
  if (included.length > 0) writeFileSync(join(copy, LICENSES_FILE), thirdPartyLicenses(bundled));
  const published = {
    ...publishedManifest(manifest, dropped),
    ...repositoryFields(repository, folder),
    ...(man.length > 0 ? { man: man.map((name) => `./man/${name}`) } : {}),
    files,
  };
  writeFileSync(join(copy, 'package.json'), JSON.stringify(published, null, 2));
}

/**
 * Returns the entry points of a package with a condition for each loader. Node and bundlers always get the ES module, so that
 * each class exists once. Only loaders of CommonJS that know none of these conditions get the file for Jest.
 */
function publishedExports({ name, exports }) {
  const published = Object.entries(exports).filter(
    ([point]) => !(OWN_ENTRY_POINTS[name] ?? []).includes(point),
  );
  return Object.fromEntries(
    published.map(([point, target]) => {
      if (target.types === undefined) return [point, target];
      const { types, default: module } = target;
      const require = module.replace(/js$/, 'cjs');
      return [point, { types, 'module-sync': module, module, bun: module, require, default: module }];
    }),
  );
}

/**
 * Writes a CommonJS module that returns the ES module next to it. The require() of Jest cannot load ES modules, but the loader of
 * Node can, which Jest passes on. The module is that of Node, so that there is no second copy of a class.
 */
function writeForJest(copy, path) {
  const text = `'use strict';
module.exports = require('node:module')._load(require.resolve('./${basename(path, '.cjs')}.js'));
`;
  writeFileSync(join(copy, path), text);
}

/** Writes all files of the contract and their imports as one descriptor set, and returns the name of its file. */
function writeDescriptors(copy) {
  const name = 'btf-v1.binpb';
  const output = ['--as-file-descriptor-set', '--exclude-source-info', '-o', join(copy, name)];
  const buf = join(ROOT, 'node_modules/.bin/buf');
  execFileSync(buf, ['build', 'proto', ...output], { cwd: ROOT, stdio: 'inherit' });
  return name;
}

/** The modules of `dist` that are named in a package.json or imported by a command. */
function entryModules(folder, { exports, imports = {}, bin = {} }) {
  const named = [...Object.values(exports).map((target) => target.default), ...Object.values(imports)];
  const imported = Object.values(bin).flatMap((command) =>
    [
      ...readFileSync(join(folder, command), 'utf8').matchAll(
        /(?:import|require)\('[.]([.]\/dist\/[^']+)'\)/g,
      ),
    ].map(([, path]) => path.replace(/cjs$/, 'js')),
  );
  return [...named, ...imported].flatMap((path) => /^[.]\/dist\/(.+)[.]js$/.exec(path ?? '')?.[1] ?? []);
}

/** A package.json with the versions of our own packages, without the dependencies that are not to be installed. */
function publishedManifest(manifest, dropped) {
  const published = { ...manifest };
  delete published.devDependencies;
  for (const field of ['dependencies', 'peerDependencies']) {
    const kept = Object.entries(manifest[field] ?? {}).filter(([name]) => !dropped.includes(name));
    const versions = kept.map(([name, version]) => [
      name,
      version === 'workspace:*' ? manifest.version : version,
    ]);
    delete published[field];
    if (versions.length > 0) published[field] = Object.fromEntries(versions);
  }
  return { ...published, ...fieldsForOldResolution(manifest.exports) };
}

/**
 * The fields in which TypeScript finds types with `moduleResolution: node` (node10), which does not read `exports`. They
 * follow from `exports`.
 */
function fieldsForOldResolution(exports) {
  const points = Object.entries(exports).filter(([, { types }]) => types !== undefined);
  const subpaths = points
    .filter(([name]) => name !== '.')
    .map(([name, { types }]) => [name.slice(2), [types]]);
  const main = exports['.'];
  return {
    ...(main === undefined ? {} : { main: main.default, types: main.types }),
    ...(subpaths.length === 0 ? {} : { typesVersions: { '*': Object.fromEntries(subpaths) } }),
  };
}
