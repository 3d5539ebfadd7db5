import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBpfObjects } from '../object/embedded.js';

const CACHE = fileURLToPath(new URL('../../../../.cache', import.meta.url));

/** DebianObject is a BPF object in a program of Debian. */
export interface DebianObject {
  /** The name of the program. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** debianObjects returns the objects in the programs that `scripts/fetch-bpf-objects.js` fetched, or in some of them. */
export function debianObjects(names?: readonly string[]): DebianObject[] {
  return objectsIn('objects').filter(({ name }) => names === undefined || names.includes(name));
}

/** allDebianObjects returns the objects in the programs that it fetches with `--all`, each once. */
export function allDebianObjects(): DebianObject[] {
  const known = new Set<string>();
  return objectsIn('all-objects').filter(({ bytes }) => {
    const digest = createHash('sha256').update(bytes).digest('hex');
    if (known.has(digest)) return false;
    known.add(digest);
    return true;
  });
}

function objectsIn(cache: string): DebianObject[] {
  const files = readdirSync(join(CACHE, cache), { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile() && file.name !== 'pinned.json')
    .map(({ parentPath, name }) => ({ name, path: join(parentPath, name) }))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .flatMap(({ name, path }) =>
      findBpfObjects(new Uint8Array(readFileSync(path))).map(({ bytes }) => ({ name, bytes })),
    );
}
