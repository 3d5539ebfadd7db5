import { execFileSync, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const CONSUMERS = fileURLToPath(new URL('../../testdata/consumers', import.meta.url));

/** The programs that npm needs, without a compiler, make or Python. */
const TOOLS = ['node', 'npm', 'sh', 'env'];

/** PackageManifest is the part of a package.json that tests read. */
export interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** RunInstalled are the options of {@link InstalledPackages.run}. */
export interface RunInstalled {
  /** The program. Default: the Node of this process, with a script as its first argument. */
  readonly program?: string;
  /** More environment variables. */
  readonly env?: NodeJS.ProcessEnv;
}

/** InstalledPackages are the public packages, packed and installed by npm in a new folder, together with consumers. */
export class InstalledPackages implements Disposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'btfd-packages-'));
  /** A folder of programs for PATH, without a compiler. */
  readonly bareBin = join(this.dir, 'bare-bin');
  readonly project = join(this.dir, 'project');
  /** The folder of the packages in the project. */
  readonly scope = join(this.project, 'node_modules/@btfd');
  /** The packages as they are published. */
  readonly tarballs: readonly string[];

  /** Packs the packages and installs them without a compiler. */
  constructor() {
    const packed = join(this.dir, 'tarballs');
    execFileSync(process.execPath, ['scripts/pack.js', packed], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    mkdirSync(this.bareBin);
    for (const tool of TOOLS) symlinkSync(pathOf(tool), join(this.bareBin, tool));
    cpSync(CONSUMERS, this.project, { recursive: true });
    writeFileSync(join(this.project, 'package.json'), '{"private": true}');
    this.tarballs = readdirSync(packed).map((name) => join(packed, name));
    this.#npmInstall(...this.tarballs, '@types/node@20');
  }

  /** Installs them again with `npm install --global`. Returns the folder of their commands. */
  installGlobally(): string {
    const prefix = join(this.dir, 'global');
    this.#npmInstall('--global', '--prefix', prefix, ...this.tarballs);
    return join(prefix, 'bin');
  }

  /** Installs a package of others beside the commands, as users add an optional package. */
  installBesideCommands(name: string): void {
    this.#npmInstall('--global', '--prefix', join(this.dir, 'global'), '--ignore-scripts', name);
  }

  /** Returns the package.json of each installed package. */
  manifests(): PackageManifest[] {
    return readdirSync(this.scope).map((name) => {
      const manifest: PackageManifest = JSON.parse(
        readFileSync(join(this.scope, name, 'package.json'), 'utf8'),
      );
      return manifest;
    });
  }

  /** Returns the files of the packages, without their dependencies, relative to `scope`. */
  files(): string[] {
    return readdirSync(this.scope, { recursive: true, encoding: 'utf8' }).filter(
      (file) => !file.includes('node_modules/'),
    );
  }

  /** Returns the text of one of those files. */
  text(file: string): string {
    return readFileSync(join(this.scope, file), 'utf8');
  }

  /** Returns the modules in the bundles of a package. The bundler writes the path of each module above it. */
  bundledModules(name: string): string[] {
    return this.files()
      .filter((file) => file.startsWith(`${name}/dist/`) && /[.]c?js$/.test(file))
      .flatMap((file) => modulesIn(this.text(file)));
  }

  /** Runs an installed `btfctl` and returns the modules in the chunks that it loads, by their paths in the repository. */
  modulesLoadedBy(program: string, args: readonly string[]): string[] {
    const coverage = mkdtempSync(join(this.dir, 'loaded-'));
    const { status, stderr } = this.run([program, ...args], { env: { NODE_V8_COVERAGE: coverage } });
    if (status !== 0) throw new Error(`btfctl ${args.join(' ')} ended with status ${status}: ${stderr}`);
    return loadedFiles(coverage)
      .filter((file) => /\/cli\/dist\/.+[.]cjs$/.test(file))
      .flatMap((file) => modulesIn(readFileSync(file, 'utf8')));
  }

  /** Returns the environment of a machine without a compiler. */
  bareEnv(): NodeJS.ProcessEnv {
    // Drops the variables that pnpm sets for its scripts, but keeps the authority of a registry, as users of npm have it.
    const dropped = /^(npm_|pnpm_|NODE_(?!EXTRA_CA_CERTS$))/i;
    const own = Object.entries(process.env).filter(([name]) => !dropped.test(name));
    return { ...Object.fromEntries(own), PATH: this.bareBin };
  }

  /** Runs a program in the project, with the environment of a machine without a compiler. */
  run(
    args: readonly string[],
    { program = process.execPath, env = {} }: RunInstalled = {},
  ): SpawnSyncReturns<string> {
    return spawnSync(program, args, {
      cwd: this.project,
      encoding: 'utf8',
      env: { ...this.bareEnv(), ...env },
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  #npmInstall(...args: readonly string[]): void {
    const { status, stderr } = spawnSync(
      join(this.bareBin, 'npm'),
      // By default npm waits five minutes for a lost response.
      ['install', '--no-audit', '--no-fund', '--prefer-offline', '--fetch-timeout', '15000', ...args],
      { cwd: this.project, encoding: 'utf8', env: this.bareEnv(), timeout: 600_000 },
    );
    if (status !== 0) throw new Error(`npm install failed with exit status ${String(status)}: ${stderr}`);
  }
}

function pathOf(tool: string): string {
  if (tool === 'node') return process.execPath;
  const path = execFileSync('sh', ['-c', 'command -v -- "$0"', tool], { encoding: 'utf8' }).trim();
  // npm finds its own files relative to its real path.
  return tool === 'npm' ? realpathSync(path) : join(realpathSync(dirname(path)), tool);
}

/** loadedFiles returns the files that programs loaded, from the folder that their variable NODE_V8_COVERAGE named. */
export function loadedFiles(coverage: string): string[] {
  return readdirSync(coverage).flatMap((name) => {
    const { result }: { result: { url: string }[] } = JSON.parse(readFileSync(join(coverage, name), 'utf8'));
    return result.flatMap(({ url }) => (url.startsWith('file:') ? [fileURLToPath(url)] : []));
  });
}

/** modulesIn returns the modules of a bundle. The bundler begins each with a comment. */
export function modulesIn(chunk: string): string[] {
  return chunk.match(/(?<=^\/\/ )(?:packages|native|node_modules)\/\S+$/gm) ?? [];
}
