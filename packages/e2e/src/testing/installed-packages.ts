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

/** What npm itself needs; no compiler, no make, no Python. */
const TOOLS = ['node', 'npm', 'sh', 'env'];

/** PackageManifest is what the tests read of a package.json. */
export interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** RunInstalled says how to run a program. */
export interface RunInstalled {
  /** Default: this Node, whose first argument is then a script. */
  readonly program?: string;
  /** Environment variables besides. */
  readonly env?: NodeJS.ProcessEnv;
}

/** InstalledPackages are the public packages, packed and installed by npm in a folder of their own, with consumers. */
export class InstalledPackages implements Disposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'btfd-packages-'));
  /** A PATH without a compiler. */
  readonly bareBin = join(this.dir, 'bare-bin');
  readonly project = join(this.dir, 'project');
  /** Where they lie in the project. */
  readonly scope = join(this.project, 'node_modules/@btfd');
  /** The packages as they would be published. */
  readonly tarballs: readonly string[];

  /** Packs and installs, without a compiler. */
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
    this.npmInstall(...this.tarballs, '@types/node@20');
  }

  /** Installs them once more, as `npm install --global` does. Answers the folder of their commands. */
  installGlobally(): string {
    const prefix = join(this.dir, 'global');
    this.npmInstall('--global', '--prefix', prefix, ...this.tarballs);
    return join(prefix, 'bin');
  }

  /** The package.json of each, as it was installed. */
  manifests(): PackageManifest[] {
    return readdirSync(this.scope).map((name) => {
      const manifest: PackageManifest = JSON.parse(
        readFileSync(join(this.scope, name, 'package.json'), 'utf8'),
      );
      return manifest;
    });
  }

  /** The environment of a machine without a compiler. */
  bareEnv(): NodeJS.ProcessEnv {
    // What pnpm tells its scripts is not there when a user runs npm; an authority that a registry needs is.
    const dropped = /^(npm_|pnpm_|NODE_(?!EXTRA_CA_CERTS$))/i;
    const own = Object.entries(process.env).filter(([name]) => !dropped.test(name));
    return { ...Object.fromEntries(own), PATH: this.bareBin };
  }

  /** Runs a program in the project, on the machine without a compiler. */
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

  private npmInstall(...args: readonly string[]): void {
    const { status, stderr } = spawnSync(
      join(this.bareBin, 'npm'),
      // By default npm waits five minutes for an answer that got lost.
      ['install', '--no-audit', '--no-fund', '--prefer-offline', '--fetch-timeout', '15000', ...args],
      { cwd: this.project, encoding: 'utf8', env: this.bareEnv(), timeout: 100_000 },
    );
    if (status !== 0) throw new Error(`npm install failed, with ${String(status)}: ${stderr}`);
  }
}

function pathOf(tool: string): string {
  if (tool === 'node') return process.execPath;
  const path = execFileSync('sh', ['-c', 'command -v -- "$0"', tool], { encoding: 'utf8' }).trim();
  // npm finds its own files from where it lies.
  return tool === 'npm' ? realpathSync(path) : join(realpathSync(dirname(path)), tool);
}
