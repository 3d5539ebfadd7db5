import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = fileURLToPath(new URL('../../../../.cache', import.meta.url));

/** The programs of peers, with their folders in .cache. */
const PROGRAMS = {
  bpftool: 'tools',
  pahole: 'tools',
  'libbpf-driver': 'bench/bin',
  'libbpf-objects': 'bench/bin',
  'cilium-driver': 'bench/bin',
  'go-service': 'bench/bin',
  'go-caller': 'bench/bin',
} as const;

/** ProgramName is the name of a peer's program. */
export type ProgramName = keyof typeof PROGRAMS;

/** MissingPeerError reports a subject that this machine cannot run. Its row is measured without it. */
export class MissingPeerError extends Error {
  override readonly name = 'MissingPeerError';
}

/** programPath returns the path of a peer's program. @throws MissingPeerError if it was not fetched or built. */
export function programPath(name: ProgramName): string {
  const path = join(CACHE, PROGRAMS[name], name);
  if (!existsSync(path)) throw new MissingPeerError(`${name} is missing: run \`pnpm bench:peers\``);
  return path;
}

/** requireRoot checks that this process may load BTF. @throws MissingPeerError if not */
export function requireRoot(): void {
  if (process.geteuid?.() !== 0) throw new MissingPeerError('loading BTF needs root');
}

/** peerVersions returns the versions of the peers that exist. */
export function peerVersions(): Record<string, string> {
  const file = join(CACHE, 'bench/versions.json');
  const built: Record<string, string> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  return { ...toolVersion('bpftool'), ...toolVersion('pahole'), ...built };
}

function toolVersion(name: 'bpftool' | 'pahole'): Record<string, string> {
  try {
    const text = execFileSync(programPath(name), ['--version'], { encoding: 'utf8' });
    return { [name]: /v?(\d[\d.]*)/.exec(text)?.[1] ?? 'unknown' };
  } catch (error) {
    if (error instanceof MissingPeerError) return {};
    throw error;
  }
}
