import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TypeId } from '../types.js';

/** The program makes an array map of one value for each line `TYPE SIZE HEX`, prints its id, and waits for the end of its input. */
const SOURCE = `
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(int command, union bpf_attr *attributes)
{
  return syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

int main(int argc, char **argv)
{
  static char btf[1 << 20];
  FILE *file = fopen(argv[1], "rb");
  union bpf_attr load = { .btf = (uintptr_t)btf, .btf_size = fread(btf, 1, sizeof(btf), file) };
  int btf_fd = bpf(BPF_BTF_LOAD, &load);
  if (btf_fd < 0)
    return perror("BTF"), 1;
  unsigned type, size, byte;
  while (scanf("%u %u", &type, &size) == 2) {
    unsigned char *value = calloc(1, size);
    for (unsigned i = 0; i < size; i++, value[i - 1] = byte)
      if (scanf("%2x", &byte) != 1)
        return 2;
    union bpf_attr map = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = size, .max_entries = 1,
                           .btf_fd = btf_fd, .btf_key_type_id = atoi(argv[2]), .btf_value_type_id = type };
    uint32_t key = 0;
    int fd = bpf(BPF_MAP_CREATE, &map);
    union bpf_attr put = { .map_fd = fd, .key = (uintptr_t)&key, .value = (uintptr_t)value };
    struct bpf_map_info info = { 0 };
    union bpf_attr get = { .info = { .bpf_fd = fd, .info_len = sizeof(info), .info = (uintptr_t)&info } };
    if (fd < 0 || bpf(BPF_MAP_UPDATE_ELEM, &put) || bpf(BPF_OBJ_GET_INFO_BY_FD, &get))
      return fprintf(stderr, "type %u: ", type), perror("map"), 3;
    printf("%u\\n", info.id);
    fflush(stdout);
    free(value);
  }
  return 0;
}
`;

/** BpfMaps is a process that holds maps with values, which `bpftool map dump` shows with their BTF. */
export class BpfMaps {
  readonly #folder = mkdtempSync(join(tmpdir(), 'bpf-maps-'));
  readonly #process: ChildProcess;
  #output = '';
  #errors = '';

  /** @param keyId the type of keys, an integer of 4 bytes. */
  constructor(btf: Uint8Array, keyId: TypeId) {
    const path = (name: string): string => join(this.#folder, name);
    writeFileSync(path('maps.c'), SOURCE);
    writeFileSync(path('btf'), btf);
    execFileSync('gcc', ['-O1', '-o', path('maps'), path('maps.c')], { stdio: 'pipe' });
    this.#process = spawn(path('maps'), [path('btf'), String(keyId)], { stdio: 'pipe' });
    this.#process.stdout?.on('data', (data: Buffer) => (this.#output += String(data)));
    this.#process.stderr?.on('data', (data: Buffer) => (this.#errors += String(data)));
  }

  /** dump returns a value as `bpftool -j map dump` shows it. */
  async dump(id: TypeId, bytes: Uint8Array): Promise<string> {
    this.#output = '';
    this.#process.stdin?.write(`${id} ${bytes.length} ${Buffer.from(bytes).toString('hex')}\n`);
    while (!this.#output.endsWith('\n')) {
      if (this.#process.exitCode !== null) throw new Error(`no map: ${this.#errors}`);
      await Promise.race([once(this.#process, 'exit'), once(this.#process.stdout ?? this.#process, 'data')]);
    }
    const mapId = this.#output.trim();
    return execFileSync('bpftool', ['-j', 'map', 'dump', 'id', mapId], { encoding: 'utf8', stdio: 'pipe' });
  }

  /** Ends the process, and with it the maps. */
  async close(): Promise<void> {
    this.#process.stdin?.end();
    if (this.#process.exitCode === null) await once(this.#process, 'exit');
    rmSync(this.#folder, { recursive: true });
  }
}
