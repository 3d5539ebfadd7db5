import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBpfObjects, parseBpfObject, readBtfExt } from '@btfd/btf';
import { MissingPeerError } from './programs.js';

const OBJECTS = fileURLToPath(new URL('../../../../.cache/objects', import.meta.url));
/** Packages whose objects libbpf relocates on every kernel, whatever symbols it lacks. */
const PACKAGES = ['libbpf-tools', 'xdp-tools'];

/**
 * writeObjects makes a folder with the BPF objects in Debian's programs that have CO-RE relocations. An object is named by
 * its program and its place in it.
 *
 * @throws MissingPeerError if the programs were not fetched.
 */
export function writeObjects(folder: string): void {
  if (!existsSync(OBJECTS)) throw new MissingPeerError('BPF objects are missing: run `pnpm bench:peers`');
  mkdirSync(folder);
  for (const { name, path } of PACKAGES.flatMap(programsOf)) {
    for (const [index, { bytes }] of findBpfObjects(new Uint8Array(readFileSync(path))).entries()) {
      if (hasRelocations(bytes)) writeFileSync(join(folder, `${name}-${index}.bpf.o`), bytes);
    }
  }
}

function programsOf(name: string): { readonly name: string; readonly path: string }[] {
  const folder = join(OBJECTS, name);
  return readdirSync(folder).map((program) => ({ name: program, path: join(folder, program) }));
}

function hasRelocations(object: Uint8Array): boolean {
  return (readBtfExt(parseBpfObject(object))?.relocations ?? []).length > 0;
}
