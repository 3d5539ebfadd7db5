import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SOURCE = String.raw`
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* BTF, key id, key size, value id, value size */
int main(int argc, char **argv)
{
  static char bytes[1 << 16];
  union bpf_attr load = {}, create = {};
  FILE *in = fopen(argv[1], "rb");
  load.btf = (unsigned long)bytes;
  load.btf_size = fread(bytes, 1, sizeof(bytes), in);
  int fd = syscall(SYS_bpf, BPF_BTF_LOAD, &load, sizeof(load));
  if (fd < 0)
    return errno;
  create.map_type = BPF_MAP_TYPE_HASH;
  create.max_entries = 1;
  create.btf_fd = fd;
  create.btf_key_type_id = atoi(argv[2]);
  create.key_size = atoi(argv[3]);
  create.btf_value_type_id = atoi(argv[4]);
  create.value_size = atoi(argv[5]);
  return syscall(SYS_bpf, BPF_MAP_CREATE, &create, sizeof(create)) < 0 ? errno : 0;
}
`;

/** MapSide is the type of the keys or of the values of a map: an id and a size in bytes. */
export interface MapSide {
  readonly typeId: number;
  readonly size: number;
}

/** MapCreator creates maps with BTF, in a small program that gcc builds. */
export class MapCreator {
  readonly #folder = mkdtempSync(join(tmpdir(), 'maps-'));

  constructor() {
    const source = join(this.#folder, 'create.c');
    writeFileSync(source, SOURCE);
    execFileSync('gcc', ['-O1', '-o', join(this.#folder, 'create'), source], { stdio: 'pipe' });
  }

  /** create creates a map of one entry, which is gone afterwards. @returns the errno; 0 if the kernel made it. */
  create(bytes: Uint8Array, key: MapSide, value: MapSide): number {
    const path = join(this.#folder, 'btf');
    writeFileSync(path, bytes);
    const numbers = [key.typeId, key.size, value.typeId, value.size].map(String);
    const { status } = spawnSync(join(this.#folder, 'create'), [path, ...numbers]);
    if (status === null) throw new Error('the program was ended by a signal');
    return status;
  }

  /** Removes the program and its files. */
  close(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
