import { LibbpfProgram } from './libbpf-program.js';

/** The declarations of libbpf's `libbpf.h` that are used, so that its development files need not be installed. */
const SOURCE = String.raw`
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct bpf_object;
struct bpf_object_open_opts {
  size_t size;
  const char *object_name;
  bool relaxed_maps;
  const char *pin_root_path;
  uint32_t unused;
  const char *kconfig;
  const char *btf_custom_path;
};
typedef int (*print_function)(int level, const char *format, va_list args);
print_function libbpf_set_print(print_function print);
struct bpf_object *bpf_object__open_file(const char *path, const struct bpf_object_open_opts *options);
int bpf_object__prepare(struct bpf_object *object);
void bpf_object__close(struct bpf_object *object);
long libbpf_get_error(const void *pointer);

static int print(int level, const char *format, va_list args)
{
  return vprintf(format, args);
}

/* Arguments: the BTF of the kernel, and objects. */
int main(int argc, char **argv)
{
  struct bpf_object_open_opts options = {sizeof(options), .btf_custom_path = argv[1]};
  libbpf_set_print(print);
  for (int i = 2; i < argc; i++) {
    printf("\f");
    struct bpf_object *object = bpf_object__open_file(argv[i], &options);
    if (!object || libbpf_get_error(object))
      continue;
    /* Everything but loading the programs. It fails for what the running kernel lacks, after the relocations. */
    bpf_object__prepare(object);
    bpf_object__close(object);
  }
  return 0;
}
`;

/** LibbpfRelocations returns the log of libbpf 1.7 about the CO-RE relocations of objects. Needs root. */
export class LibbpfRelocations {
  readonly #program = new LibbpfProgram(SOURCE);

  /**
   * run prepares objects for loading.
   *
   * @param kernel the path of a file with raw BTF.
   * @returns the lines of the log of each object.
   */
  run(kernel: string, objects: readonly Uint8Array[]): string[][] {
    const paths = objects.map((bytes, i) => this.#program.file(`object-${i}.bpf.o`, bytes));
    const [, ...logs] = this.#program.run([kernel, ...paths]).split('\f');
    return logs.map((log) => log.split('\n'));
  }

  /** file writes a file into the folder of the program, and returns its path. */
  file(name: string, content: Uint8Array): string {
    return this.#program.file(name, content);
  }

  /** Removes the program and its files. */
  close(): void {
    this.#program.close();
  }
}
