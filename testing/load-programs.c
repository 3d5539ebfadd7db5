// Loads programs of BPF objects with libbpf, and unloads them. It attaches nothing. It prints the warnings of libbpf, with the
// log of the verifier, and the result of each load.
//
// It declares what it uses of libbpf's `libbpf.h`, so that its development files need not be installed.
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct bpf_object;
struct bpf_program;
struct bpf_map;
typedef int (*print_function)(int level, const char *format, va_list args);
print_function libbpf_set_print(print_function print);
struct bpf_object *bpf_object__open_file(const char *path, const void *options);
struct bpf_program *bpf_object__next_program(const struct bpf_object *object, struct bpf_program *program);
const char *bpf_program__name(const struct bpf_program *program);
int bpf_program__set_autoload(struct bpf_program *program, bool autoload);
struct bpf_map *bpf_object__next_map(const struct bpf_object *object, const struct bpf_map *map);
const char *bpf_map__name(const struct bpf_map *map);
uint32_t bpf_map__max_entries(const struct bpf_map *map);
int bpf_map__set_max_entries(struct bpf_map *map, uint32_t count);
int bpf_object__load(struct bpf_object *object);
void bpf_object__close(struct bpf_object *object);
long libbpf_get_error(const void *pointer);

static int print(int level, const char *format, va_list args)
{
  return level > 1 ? 0 : vprintf(format, args);
}

/**
 * Arguments: the path of an object, and the name of the program to load, for each load. Without a name, it loads the programs
 * that libbpf loads by default.
 */
int main(int argc, char **argv)
{
  libbpf_set_print(print);
  for (int i = 1; i + 1 < argc; i += 2) {
    int error = 0;
    printf("\f");
    struct bpf_object *object = bpf_object__open_file(argv[i], NULL);
    if (!object || (error = libbpf_get_error(object))) {
      printf("\nresult %d\n", error ? error : -1);
      continue;
    }
    struct bpf_program *program = NULL;
    while (*argv[i + 1] && (program = bpf_object__next_program(object, program)))
      bpf_program__set_autoload(program, !strcmp(bpf_program__name(program), argv[i + 1]));
    /* Programs give maps without a size one before they load, and large ones take long to make. */
    struct bpf_map *map = NULL;
    while ((map = bpf_object__next_map(object, map)))
      if (!strchr(bpf_map__name(map), '.') && (!bpf_map__max_entries(map) || bpf_map__max_entries(map) > 4096))
        bpf_map__set_max_entries(map, 4096);
    printf("\nresult %d\n", bpf_object__load(object));
    bpf_object__close(object);
  }
  return 0;
}
