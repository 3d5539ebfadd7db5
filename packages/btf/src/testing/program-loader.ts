import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Builder } from '../build/builder.js';

/**
 * Its input: the length of the BTF, the BTF, and the length of read-only data and the data; then for each program the number
 * of its instructions and functions, the functions as bpf_func_info, and the instructions. Its output: for each program the
 * errno and the verifier log in one line. It replaces the map of `ld_imm64` with source 2 by its number: 1 for the read-only
 * data, 2 for data that can change.
 */
const SOURCE = String.raw`
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(int command, union bpf_attr *attributes)
{
  return syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static void *take(uint32_t size)
{
  void *bytes = calloc(1, size + 1);
  if (fread(bytes, 1, size, stdin) != size)
    exit(1);
  return bytes;
}

static int map(int flags, uint32_t size, void *value)
{
  uint32_t key = 0;
  union bpf_attr create = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = size, .max_entries = 1,
                            .map_flags = flags };
  int fd = bpf(BPF_MAP_CREATE, &create);
  union bpf_attr put = { .map_fd = fd, .key = (uintptr_t)&key, .value = (uintptr_t)value };
  union bpf_attr freeze = { .map_fd = fd };
  if (fd < 0 || bpf(BPF_MAP_UPDATE_ELEM, &put) || (flags && bpf(BPF_MAP_FREEZE, &freeze)))
    perror("map"), exit(2);
  return fd;
}

int main(void)
{
  static char log[1 << 20];
  uint32_t size, counts[2];
  if (fread(&size, 4, 1, stdin) != 1)
    return 1;
  void *btf = take(size);
  union bpf_attr load_btf = { .btf = (uintptr_t)btf, .btf_size = size };
  int btf_fd = bpf(BPF_BTF_LOAD, &load_btf);
  if (btf_fd < 0)
    return perror("BTF"), 3;
  if (fread(&size, 4, 1, stdin) != 1)
    return 1;
  void *data = take(size);
  int maps[3] = { 0, map(BPF_F_RDONLY_PROG, size, data), map(0, size, data) };
  while (fread(counts, 4, 2, stdin) == 2) {
    void *functions = take(counts[1] * sizeof(struct bpf_func_info));
    struct bpf_insn *code = take(counts[0] * sizeof(*code));
    for (uint32_t i = 0; i < counts[0]; i++)
      if (code[i].code == 0x18 && code[i++].src_reg == BPF_PSEUDO_MAP_VALUE)
        code[i - 1].imm = maps[code[i - 1].imm];
    /* A log of level 4 has errors and statistics alone. */
    union bpf_attr load = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insns = (uintptr_t)code, .insn_cnt = counts[0],
                            .license = (uintptr_t)"GPL", .log_level = 4, .log_buf = (uintptr_t)log,
                            .log_size = sizeof(log), .prog_btf_fd = btf_fd, .func_info = (uintptr_t)functions,
                            .func_info_rec_size = sizeof(struct bpf_func_info), .func_info_cnt = counts[1] };
    log[0] = 0;
    int fd = bpf(BPF_PROG_LOAD, &load), error = fd < 0 ? errno : 0;
    if (fd >= 0)
      close(fd);
    for (char *c = log; *c; c++)
      if (*c == '\n')
        *c = '|';
    printf("%d %.1000s\n", error, log);
    fflush(stdout);
    free(functions);
    free(code);
  }
  return 0;
}
`;

/** LINKAGE has the kinds of functions of a loaded program. A global one has one integer as its argument. */
export const LINKAGE = { STATIC: 0, GLOBAL: 1 } as const;

/** LoadableProgram is a program for {@link ProgramLoader}, of little-endian instructions. */
export interface LoadableProgram {
  readonly code: Uint8Array;
  readonly functions: readonly { readonly start: number; readonly isGlobal: boolean }[];
}

/** Verdict is what the kernel did with a program. */
export interface Verdict {
  /** The errno; 0 if the kernel accepted the program. */
  readonly errno: number;
  /** The errors and statistics of the verifier. */
  readonly log: string;
}

/** ProgramLoader loads socket filters into the kernel, in a small program that gcc builds. */
export class ProgramLoader {
  readonly #folder = mkdtempSync(join(tmpdir(), 'programs-'));
  readonly #data: Uint8Array;

  /** @param data the content of the read-only data. */
  constructor(data: Uint8Array) {
    this.#data = data;
    writeFileSync(join(this.#folder, 'load.c'), SOURCE);
    execFileSync('gcc', ['-O1', '-static', '-o', this.path, join(this.#folder, 'load.c')], { stdio: 'pipe' });
  }

  /** The path of the program. */
  get path(): string {
    return join(this.#folder, 'load');
  }

  /** load loads programs one after the other, and unloads them. */
  load(programs: readonly LoadableProgram[]): Verdict[] {
    const { status, stdout, stderr } = spawnSync(this.path, {
      input: this.input(programs),
      maxBuffer: 1 << 28,
    });
    if (status !== 0) throw new Error(`status ${status}: ${String(stderr)}`);
    return verdictsOf(String(stdout));
  }

  /** input returns the input for programs. */
  input(programs: readonly LoadableProgram[]): Uint8Array {
    const words = (...numbers: number[]): Uint8Array => new Uint8Array(Uint32Array.from(numbers).buffer);
    const btf = functionTypes();
    const parts = [words(btf.length), btf, words(this.#data.length), this.#data];
    for (const { code, functions } of programs) {
      const infos = functions.flatMap(({ start, isGlobal }) => [start, isGlobal ? GLOBAL_ID : STATIC_ID]);
      parts.push(words(code.length / 8, functions.length), words(...infos), code);
    }
    return Buffer.concat(parts);
  }

  /** Removes the program and its files. */
  close(): void {
    rmSync(this.#folder, { recursive: true });
  }
}

/** verdictsOf reads the output of the program. */
export function verdictsOf(output: string): Verdict[] {
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ errno: Number.parseInt(line, 10), log: line.slice(line.indexOf(' ') + 1) }));
}

const STATIC_ID = 3;
const GLOBAL_ID = 5;

/** BTF of `static int s(void)` and `int g(int a)`. The kernel does not compare a static function with its type. */
function functionTypes(): Uint8Array {
  const builder = new Builder();
  const int = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  const nothing = builder.add({ kind: 'FUNC_PROTO', returnTypeId: int, params: [] });
  builder.add({ kind: 'FUNC', name: 's', typeId: nothing, linkage: LINKAGE.STATIC });
  const one = builder.add({ kind: 'FUNC_PROTO', returnTypeId: int, params: [{ name: 'a', typeId: int }] });
  builder.add({ kind: 'FUNC', name: 'g', typeId: one, linkage: LINKAGE.GLOBAL });
  return builder.marshal();
}
