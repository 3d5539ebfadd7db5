import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBpfObjects } from '../object/embedded.js';

const PROGRAMS = fileURLToPath(new URL('../../../../.cache/objects/libbpf-tools', import.meta.url));

/** DebianObject is a BPF object in a program of Debian. */
export interface DebianObject {
  /** The name of the program. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** debianObjects returns the objects in the programs that `scripts/fetch-bpf-objects.js` fetched, or in some of them. */
export function debianObjects(names: readonly string[] = readdirSync(PROGRAMS).toSorted()): DebianObject[] {
  return names.flatMap((name) => {
    const program = new Uint8Array(readFileSync(join(PROGRAMS, name)));
    return findBpfObjects(program).map(({ bytes }) => ({ name, bytes }));
  });
}
