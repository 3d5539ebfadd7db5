import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The entry of a CommonJS program, and the names of its other files. */
const START = 'start/start';
const HASHED = '[name]-[hash].cjs';

/**
 * The modules that dependencies of programs import but never use there. grpc-js needs proto-loader, a third of its text, and
 * its clients to serve channelz and load reports. commander starts programs for subcommands that are files. prom-client needs
 * the API of OpenTelemetry, sixty files, for exemplars, `cluster` for metrics of clusters and tdigest for summaries.
 */
const LEFT_OUT = [
  { importer: '/@grpc/grpc-js/', id: '@grpc/proto-loader' },
  { importer: '/@grpc/grpc-js/build/src/channelz.js', id: './make-client' },
  { importer: '/@grpc/grpc-js/build/src/orca.js', id: './make-client' },
  { importer: '/@grpc/grpc-js/build/src/orca.js', id: './channel-credentials' },
  { importer: '/commander/', id: 'node:child_process' },
  { importer: '/prom-client/', id: '@opentelemetry/api' },
  { importer: '/prom-client/', id: 'cluster' },
  { importer: '/prom-client/', id: 'tdigest' },
];

/** The package that is only a server of gRPC, and what it has of grpc-js: its client is two thirds of the text. */
const SERVER = '/packages/server/dist/';
const GRPC_SERVER = `
import { createServerCredentialsWithInterceptors } from '@grpc/grpc-js/build/src/server-credentials.js';
export { Status as status } from '@grpc/grpc-js/build/src/constants.js';
export { setLogger } from '@grpc/grpc-js/build/src/logging.js';
export { Metadata } from '@grpc/grpc-js/build/src/metadata.js';
export { Server } from '@grpc/grpc-js/build/src/server.js';
export { ServerCredentials } from '@grpc/grpc-js/build/src/server-credentials.js';
export { ServerInterceptingCall } from '@grpc/grpc-js/build/src/server-interceptors.js';
export const experimental = { createServerCredentialsWithInterceptors };
`;

/**
 * The code has short names for local variables, which makes it smaller for users and faster to load. Libraries have no source
 * maps, which would be twice as large as the code. Stack traces stay useful: functions and classes keep their names, and each
 * statement its line. The code of btfctl keeps long names: it is kept compiled, so it would not load faster, and V8 takes 1.1
 * times the CPU time to print a header with short ones.
 */
const SMALL = {
  compress: { sequences: false, joinVars: false, keepNames: { function: true, class: true } },
  mangle: { toplevel: false, keepNames: { function: true, class: true } },
  codegen: { removeWhitespace: false },
};

/**
 * bundle writes the modules of a package's `dist` as few files: each entry under its own name, and shared modules in
 * chunks, so that each class exists once. Returns the paths of the bundled modules.
 *
 * @param {string[]} entries paths in `dist`, without `.js`
 * @param {{ from: string; to: string }} dist the folders that are read and written
 * @param {{ separate: string[]; isProgram: boolean; hasEntryPoints: boolean; format: 'esm' | 'cjs' }} options `separate` names the
 *   dependencies that are imported by name. All others are bundled, with everything that they import. A program has source
 *   maps. `hasEntryPoints` means that users import the entries. The names of files of the format `cjs` end in `.cjs` and have a hash of their content,
 *   except `start.cjs`.
 * @returns {Promise<string[]>}
 * @throws Error if the bundler warns, for example of an import that it cannot resolve.
 */
export async function bundle(entries, { from, to }, { separate, isProgram, hasEntryPoints, format }) {
  const build = await rolldown({
    input: Object.fromEntries(entries.map((entry) => [entry, join(from, `${entry}.js`)])),
    platform: 'node',
    // Chunks may import from the entries of a program, which nobody else imports.
    preserveEntrySignatures: hasEntryPoints ? 'exports-only' : 'allow-extension',
    // Paths in the output are relative to it, so that it is the same in every checkout.
    cwd: ROOT,
    external: (id, importer) =>
      !isLeftOut(id, importer) &&
      (isBuiltin(id) || (!/^[./]/.test(id) && separate.includes(packageName(id)))),
    plugins: isProgram ? [sourceMapsOfTypeScript(), leaveOut(), serveOnly()] : [],
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(log.message);
    },
  });
  const { output } = await build.generate({
    dir: to,
    format,
    entryFileNames: ({ name }) => (format === 'esm' ? '[name].js' : name === START ? '[name].cjs' : HASHED),
    chunkFileNames: format === 'esm' ? '[name]-[hash].js' : HASHED,
    // Scripts that the code cache compiles cannot import(): Node would warn that this is experimental.
    dynamicImportInCjs: false,
    hashCharacters: 'base36',
    // Third-party code is in its own chunks, each named after its package.
    codeSplitting: {
      groups: [{ name: (id) => installedPackage(id)?.replaceAll('/', '-'), debugName: 'third-party' }],
    },
    sourcemap: isProgram && 'hidden',
    minify: format === 'esm' && SMALL,
    sourcemapPathTransform: (source, map) => relative(ROOT, resolve(dirname(map), source)),
    comments: { legal: true, annotation: true, jsdoc: false },
  });
  await build.close();
  const chunks = output.filter(({ type }) => type === 'chunk');
  for (const { fileName, code: text, map, moduleIds } of chunks) {
    const code = isProgram ? inAscii(text) : text;
    const path = join(to, fileName);
    mkdirSync(dirname(path), { recursive: true });
    const isOurs = moduleIds.some((id) => isAbsolute(id) && installedPackage(id) === null);
    if (map === null || !isOurs) {
      writeFileSync(path, code);
    } else {
      writeFileSync(path, `${code.trimEnd()}\n//# sourceMappingURL=${basename(fileName)}.map\n`);
      writeFileSync(`${path}.map`, JSON.stringify(map));
    }
  }
  return chunks.flatMap(({ moduleIds }) => moduleIds);
}

/**
 * Escapes all other characters, which only texts and comments have. V8 keeps text in ASCII in half the memory, and src/start of
 * packages/cli reads it as ASCII.
 */
function inAscii(code) {
  return code.replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Returns `@scope/name/subpath` or `name/subpath` without its subpath. */
function packageName(id) {
  return id.split('/', id.startsWith('@') ? 2 : 1).join('/');
}

/** Gives the bundler the maps that tsc wrote, with the contents of the sources, which are not published. */
function sourceMapsOfTypeScript() {
  return {
    name: 'source-maps-of-typescript',
    load(id) {
      if (!id.startsWith(ROOT) || !existsSync(`${id}.map`) || id.includes('/node_modules/')) return null;
      const map = JSON.parse(readFileSync(`${id}.map`, 'utf8'));
      const sources = map.sources.map((source) => join(dirname(id), source));
      return {
        code: readFileSync(id, 'utf8'),
        map: { ...map, sources, sourcesContent: sources.map((path) => readFileSync(path, 'utf8')) },
      };
    },
  };
}

function isLeftOut(id, importer) {
  return LEFT_OUT.some((left) => left.id === id && importer?.includes(left.importer));
}

/** Replaces the modules that are {@link LEFT_OUT} by an empty one. */
function leaveOut() {
  return {
    name: 'leave-out',
    // A module for each, which is not shared by the chunks of its importers.
    resolveId: (id, importer) => (isLeftOut(id, importer) ? `\0left-out:${id}` : null),
    load: (id) => (id.startsWith('\0left-out:') ? 'export {};' : null),
  };
}

/** Replaces grpc-js by {@link GRPC_SERVER} in the server. An import of anything else from it fails. */
function serveOnly() {
  const id = '\0grpc-server';
  let from;
  return {
    name: 'serve-only',
    resolveId(imported, importer) {
      if (importer === id) return this.resolve(imported, from);
      if (imported !== '@grpc/grpc-js' || !importer?.includes(SERVER)) return null;
      from = importer;
      return id;
    },
    load: (loaded) => (loaded === id ? GRPC_SERVER : null),
  };
}

/** Returns the package of a file in `node_modules`, or null for other files. */
function installedPackage(path) {
  return /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? null;
}
