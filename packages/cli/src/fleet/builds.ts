import type { KernelBuild } from '@btfd/fleet';
import { someOf } from '../output/some-of.js';

/** A digest in short. Git shows as many digits of its own. */
const SHORT = 8;

/**
 * buildLabels returns a short name for each build: the first digits of its digest, as many as the builds need to differ. A
 * build that is there several times, because its nodes differ in their results, has a number too: `7c1fa29e#2`.
 */
export function buildLabels(builds: readonly KernelBuild[]): string[] {
  const digests = [...new Set(builds.flatMap(({ digest }) => digest ?? []))];
  let length = SHORT;
  const isDistinct = (): boolean =>
    new Set(digests.map((digest) => digest.slice(0, length))).size === digests.length;
  while (!isDistinct()) length += 1;
  const seen = new Map<string, number>();
  return builds.map(({ digest }) => {
    const label = digest === null ? 'no-btf' : digest.slice(0, length);
    const count = (seen.get(label) ?? 0) + 1;
    seen.set(label, count);
    return count === 1 ? label : `${label}#${count}`;
  });
}

/** The releases that a cell shows. */
const MOST_RELEASES = 3;

/** releasesText returns the releases of a build, of many only the first. */
export function releasesText({ releases }: KernelBuild): string {
  return someOf(releases, MOST_RELEASES);
}

/** modulesText returns the number of modules of a build. */
export function modulesText({ moduleCount }: KernelBuild): string {
  return moduleCount === null ? 'differ' : String(moduleCount);
}

/** buildData returns a build and its nodes for programs. */
export function buildData({
  build: { digest, modulesDigest, moduleCount, releases, machine },
  nodes,
}: {
  readonly build: KernelBuild;
  readonly nodes: readonly string[];
}): object {
  return {
    digest,
    modules_digest: modulesDigest,
    module_count: moduleCount,
    releases,
    machine,
    nodes,
  };
}
