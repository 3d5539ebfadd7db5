import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { btfctl } from './btfctl.js';

const BTFD = fileURLToPath(new URL('../../../server/bin/btfd.js', import.meta.url));

/** LoadedBy is the exit status of a run of btfctl or btfd, and the packages that it loaded. */
export interface LoadedBy {
  readonly status: number | null;
  /** The names of the packages, our own and others. */
  readonly packages: ReadonlySet<string>;
}

/** loadedPackages runs btfctl and returns the packages of all ES modules and CommonJS scripts that V8 loaded. */
export async function loadedPackages(args: readonly string[]): Promise<LoadedBy> {
  return loadedBy(async (env) => btfctl(args, { BTFD_ADDRESS: 'unix:/nonexistent/btfd.sock', ...env }));
}

/** packagesOfBtfd runs a command of btfd that ends, and returns what {@link loadedPackages} does. */
export async function packagesOfBtfd(args: readonly string[]): Promise<LoadedBy> {
  return loadedBy(async (env) =>
    spawnSync(process.execPath, [BTFD, ...args], { env: { ...process.env, ...env } }),
  );
}

/** loadedBy returns what {@link loadedPackages} does, for a run with more environment variables. */
export async function loadedBy(
  run: (env: Readonly<Record<string, string>>) => Promise<{ readonly status: number | null }>,
): Promise<LoadedBy> {
  const dir = mkdtempSync(join(tmpdir(), 'loaded-'));
  try {
    const { status } = await run({ NODE_V8_COVERAGE: dir });
    const urls = readdirSync(dir).flatMap((name) =>
      urlsIn(JSON.parse(readFileSync(join(dir, name), 'utf8'))),
    );
    return { status, packages: new Set(urls.flatMap(packageOf)) };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function urlsIn({ result }: { readonly result: readonly { readonly url: string }[] }): string[] {
  return result.map(({ url }) => url);
}

/** Returns the package of a file in `node_modules` or in this repository. */
function packageOf(url: string): string[] {
  const [, ours] = /\/packages\/([^/]+)\/(?:dist|bin)\//.exec(url) ?? [];
  if (ours !== undefined) return [`@btfd/${ours}`];
  const [, others] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? [];
  return others === undefined ? [] : [others];
}
