import { readFileSync } from 'node:fs';
import { LibbpfProgram } from './libbpf-program.js';

/** The declarations of libbpf's `btf.h` that are used, so that its development files need not be installed. */
const SOURCE = String.raw`
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct btf;
struct btf_dump;
struct btf_type { unsigned int name_off, info, size_or_type; };
struct btf *btf__parse(const char *path, void *ext);
struct btf *btf__parse_split(const char *path, struct btf *base);
struct btf *btf__new_empty(void);
struct btf *btf__new_empty_split(struct btf *base);
unsigned int btf__type_cnt(const struct btf *btf);
const struct btf_type *btf__type_by_id(const struct btf *btf, unsigned int id);
const char *btf__str_by_offset(const struct btf *btf, unsigned int offset);
const void *btf__raw_data(const struct btf *btf, unsigned int *size);
const struct btf *btf__base_btf(const struct btf *btf);
int btf__add_type(struct btf *btf, const struct btf *source, const struct btf_type *type);
int btf__add_btf(struct btf *btf, const struct btf *source);
int btf__add_ptr(struct btf *btf, int id);
int btf__add_struct(struct btf *btf, const char *name, unsigned int size);
int btf__add_field(struct btf *btf, const char *name, int id, unsigned int offset, unsigned int bits);
int btf__add_typedef(struct btf *btf, const char *name, int id);
int btf__distill_base(const struct btf *btf, struct btf **base, struct btf **split);
int btf__permute(struct btf *btf, unsigned int *map, unsigned int count, const void *opts);
struct btf_dump *btf_dump__new(const struct btf *btf, void (*print)(void *, const char *, va_list), void *context,
                               const void *opts);
int btf_dump__dump_type(struct btf_dump *dump, unsigned int id);
long libbpf_get_error(const void *ptr);

static struct btf *parse(const char *path, struct btf *base)
{
  struct btf *btf = base ? btf__parse_split(path, base) : btf__parse(path, NULL);
  if (libbpf_get_error(btf))
    exit(1);
  return btf;
}

static void write_file(const char *path, const void *data, size_t size)
{
  FILE *out = fopen(path, "wb");
  if (!data || !out || fwrite(data, 1, size, out) != size || fclose(out))
    exit(2);
}

static void write_btf(const char *path, const struct btf *btf)
{
  unsigned int size;
  const void *data = btf__raw_data(btf, &size);
  write_file(path, data, size);
}

static void check(int result)
{
  if (result >= 0)
    return;
  fprintf(stderr, "errno %d\n", -result);
  exit(3);
}

static int by_name(const void *a, const void *b, void *context)
{
  unsigned int left = *(const unsigned int *)a, right = *(const unsigned int *)b;
  int order = strcmp(btf__str_by_offset(context, btf__type_by_id(context, left)->name_off),
                     btf__str_by_offset(context, btf__type_by_id(context, right)->name_off));
  return order ? order : left < right ? -1 : 1;
}

/* As the kernel's resolve_btfids: the new ids of the types of split BTF, or of void and all types. */
static void sort(struct btf *btf)
{
  unsigned int start = btf__base_btf(btf) ? btf__type_cnt(btf__base_btf(btf)) : 0;
  unsigned int count = btf__type_cnt(btf) - start;
  unsigned int *order = calloc(count + 1, sizeof(*order)), *map = calloc(count + 1, sizeof(*map));
  for (unsigned int i = 0; i < count; i++)
    order[i] = start + i;
  qsort_r(order, count, sizeof(*order), by_name, btf);
  for (unsigned int i = 0; i < count; i++)
    map[order[i] - start] = start + i;
  check(btf__permute(btf, map, count, NULL));
}

static void print(void *context, const char *format, va_list args)
{
  vfprintf(context, format, args);
}

int main(int argc, char **argv)
{
  const char *command = argv[1], *out = argv[2];
  if (!strcmp(command, "distill")) { /* out, out of the base, base, split */
    struct btf *base, *split;
    check(btf__distill_base(parse(argv[5], parse(argv[4], NULL)), &base, &split));
    write_btf(out, split);
    write_btf(argv[3], base);
  } else if (!strcmp(command, "sort")) { /* out, BTF, maybe its base */
    struct btf *btf = parse(argv[3], argc > 4 ? parse(argv[4], NULL) : NULL);
    sort(btf);
    write_btf(out, btf);
  } else if (!strcmp(command, "copy")) { /* out, base, split */
    /* A base of its own for each: a search for a string of the base would free the base that the string is read from. */
    struct btf *base = parse(argv[3], NULL), *source = parse(argv[4], parse(argv[3], NULL));
    struct btf *btf = btf__new_empty_split(base);
    for (unsigned int id = btf__type_cnt(base); id < btf__type_cnt(source); id++)
      check(btf__add_type(btf, source, btf__type_by_id(source, id)));
    write_btf(out, btf);
  } else if (!strcmp(command, "build")) { /* out, base */
    struct btf *btf = btf__new_empty_split(parse(argv[3], NULL));
    int node = btf__type_cnt(btf), next = node + 1;
    check(btf__add_struct(btf, "node", 16));
    check(btf__add_field(btf, "next", next, 0, 0));
    check(btf__add_field(btf, "count", 1, 64, 0));
    check(btf__add_ptr(btf, node));
    check(btf__add_typedef(btf, "node_t", node));
    check(btf__add_typedef(btf, "int", 1));
    write_btf(out, btf);
  } else if (!strcmp(command, "dump")) { /* out, BTFs that are added one after the other */
    struct btf *btf = btf__new_empty();
    FILE *file = fopen(out, "w");
    struct btf_dump *dump = btf_dump__new(btf, print, file, NULL);
    if (!file || libbpf_get_error(dump))
      return 1;
    for (int i = 3; i < argc; i++) {
      unsigned int id = btf__type_cnt(btf);
      check(btf__add_btf(btf, parse(argv[i], NULL)));
      for (; id < btf__type_cnt(btf); id++) {
        check(btf_dump__dump_type(dump, id));
        fputc('\f', file);
      }
    }
    fclose(file);
  } else {
    return 1;
  }
  return 0;
}
`;

/** Libbpf runs functions of libbpf 1.7, which the tools of tests have, in a small program that gcc builds. */
export class Libbpf {
  readonly #program = new LibbpfProgram(SOURCE);

  /** distill calls `btf__distill_base`. */
  distill(
    split: Uint8Array,
    base: Uint8Array,
  ): { readonly bytes: Uint8Array; readonly baseBytes: Uint8Array } {
    const out = this.#program.path('out-base');
    const bytes = this.#run('distill', [out, this.#input('base', base), this.#input('split', split)]);
    return { bytes, baseBytes: new Uint8Array(readFileSync(out)) };
  }

  /** sortByName sorts types by name with `btf__permute`, as the build of Linux 7.0 does. */
  sortByName(bytes: Uint8Array, base?: Uint8Array): Uint8Array {
    const input = this.#input('in', bytes);
    return this.#run('sort', base === undefined ? [input] : [input, this.#input('base', base)]);
  }

  /** copy adds the types of split BTF to new split BTF with `btf__add_type`. */
  copy(split: Uint8Array, base: Uint8Array): Uint8Array {
    return this.#run('copy', [this.#input('base', base), this.#input('split', split)]);
  }

  /** build adds a few types to new split BTF: a list `node`, its pointer, and typedefs `node_t` and `int`. */
  build(base: Uint8Array): Uint8Array {
    return this.#run('build', [this.#input('base', base)]);
  }

  /** dump adds BTFs to an empty one, and returns the C text of each type, dumped in the order of the ids. */
  dump(btfs: readonly Uint8Array[]): string[] {
    const inputs = btfs.map((bytes, i) => this.#input(`in${i}`, bytes));
    const text = new TextDecoder().decode(this.#run('dump', inputs));
    return text.split('\f').slice(0, -1);
  }

  /** Removes the program and its files. */
  close(): void {
    this.#program.close();
  }

  #run(command: string, args: readonly string[]): Uint8Array {
    const out = this.#program.path('out');
    this.#program.run([command, out, ...args]);
    return new Uint8Array(readFileSync(out));
  }

  #input(name: string, bytes: Uint8Array): string {
    return this.#program.file(name, bytes);
  }
}
