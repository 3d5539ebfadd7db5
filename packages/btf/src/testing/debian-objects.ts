import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBpfObjects } from '../object/embedded.js';

const OBJECTS = fileURLToPath(new URL('../../../../.cache/objects', import.meta.url));
const PACKAGES = ['libbpf-tools', 'xdp-tools'];

/** PINNED_PROGRAMS are ten programs whose objects have relocations of many kinds, flavours, and members that kernels lack. */
export const PINNED_PROGRAMS = [
  'biolatency',
  'biosnoop',
  'capable',
  'fsslower',
  'offcputime',
  'runqlat',
  'slabratetop',
  'tcpconnlat',
  'tcptracer',
  'vfsstat',
];

/** DebianObject is a BPF object in a program of Debian. */
export interface DebianObject {
  /** The name of the program. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** debianObjects returns the objects in the programs that `scripts/fetch-bpf-objects.js` fetched, or in some of them. */
export function debianObjects(names?: readonly string[]): DebianObject[] {
  const programs = PACKAGES.flatMap((folder) =>
    readdirSync(join(OBJECTS, folder))
      .toSorted()
      .map((name) => ({ name, path: join(OBJECTS, folder, name) })),
  );
  return programs
    .filter(({ name }) => names === undefined || names.includes(name))
    .flatMap(({ name, path }) =>
      findBpfObjects(new Uint8Array(readFileSync(path))).map(({ bytes }) => ({ name, bytes })),
    );
}
