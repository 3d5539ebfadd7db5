import { createRequire } from 'node:module';

/** VERSION is the version of this package. */
export const VERSION = readVersion();

function readVersion(): string {
  // By a name of the package itself: bundles lie elsewhere than the modules in them.
  const manifest: unknown = createRequire(import.meta.url)('#package.json');
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest)
    return String(manifest.version);
  throw new Error('package.json has no version');
}
