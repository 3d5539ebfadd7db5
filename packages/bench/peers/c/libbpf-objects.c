// Opens BPF objects with libbpf and relocates them against one parsed BTF of a kernel. Prints one line of JSON:
//
//     libbpf-objects VMLINUX FOLDER COUNT
//
// FOLDER has only object files. The output is {"together":COSTS,"objects":[{"name":"…",COSTS…},…],"result":"…"}, with the objects
// in the order of their names. COSTS are "cpuUs":[…],"wallUs":[…], with one number for each repetition. Each repetition opens
// all objects twice: to measure them together, as reading the clock costs time, and then one by one. The result is the
// number of relocations that libbpf resolved or poisoned. Objects are closed outside of the measured time.
//
// libbpf parses a custom BTF for each object, and prepares an object with system calls before and after the relocations.
// Wrappers (`ld --wrap`) take the place of both, so that the measured time has neither:
//
// - btf__parse and btf__load_vmlinux_btf return the same parsed BTF each time, which btf__free leaves alone.
// - bpf(2) succeeds without a system call until libbpf releases that BTF, which is when all CO-RE relocations of an object are
//   resolved. From then on it fails, which ends the preparation of the object.
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clocks.h"

// No process has so many files, so to close one of them fails.
#define NO_FILE 0x3fffffff

struct object {
  const char *name;
  void *bytes;
  size_t size;
  double *cpu_us, *wall_us;
  struct bpf_object *opened;
};

static struct btf *kernel;
static bool relocated;
// The relocations that libbpf reported in its log, and the index of the last one.
static long resolved;
static int last_index;

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static void *checked(void *pointer, const char *what) {
  if (pointer == NULL) fail(what);
  return pointer;
}

struct btf *__real_btf__parse(const char *path, struct btf_ext **ext);
struct btf *__wrap_btf__parse(const char *path, struct btf_ext **ext) {
  return kernel == NULL ? __real_btf__parse(path, ext) : kernel;
}

struct btf *__wrap_btf__load_vmlinux_btf(void);
struct btf *__wrap_btf__load_vmlinux_btf(void) { return kernel; }

void __real_btf__free(struct btf *btf);
void __wrap_btf__free(struct btf *btf) {
  if (btf == kernel) {
    relocated = true;
  } else {
    __real_btf__free(btf);
  }
}

long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);
long __real_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f) {
  if (number != SYS_bpf) return __real_syscall(number, a, b, c, d, e, f);
  if (!relocated) return NO_FILE;
  errno = EPERM;
  return -1;
}

static int count_resolved(enum libbpf_print_level level, const char *format, va_list args) {
  (void)level;
  bool is_patch = strstr(format, "relo #%d: patched insn #%d") != NULL;
  bool is_poison = strstr(format, "relo #%d: substituting insn #%d") != NULL;
  if (!is_patch && !is_poison) return 0;
  va_arg(args, const char *);
  int index = va_arg(args, int);
  // A constant of 64 bits is poisoned as two instructions.
  if (!is_poison || index != last_index) resolved++;
  last_index = index;
  return 0;
}

static void read_object(struct object *object, const char *folder) {
  char path[4096];
  struct stat stat;
  snprintf(path, sizeof(path), "%s/%s", folder, object->name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &stat) < 0) fail(path);
  object->size = stat.st_size;
  object->bytes = checked(malloc(object->size), "malloc");
  if (read(fd, object->bytes, object->size) != (ssize_t)object->size) fail(path);
  close(fd);
}

static int is_shown(const struct dirent *entry) { return entry->d_name[0] != '.'; }

// Returns the object, for which libbpf was stopped when all relocations were resolved.
static struct bpf_object *relocate(const struct object *object) {
  LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "object", .btf_custom_path = "kernel", .kconfig = "");
  relocated = false;
  struct bpf_object *opened = bpf_object__open_mem(object->bytes, object->size, &options);
  if (opened == NULL) fail(object->name);
  bpf_object__prepare(opened);
  if (!relocated) {
    fprintf(stderr, "%s: libbpf refuses it before or within its relocations\n", object->name);
    exit(1);
  }
  return opened;
}

static void print_numbers(const char *name, const double *numbers, long count) {
  printf("\"%s\":[", name);
  for (long i = 0; i < count; i++) printf("%s%.1f", i == 0 ? "" : ",", numbers[i]);
  printf("]");
}

static void print_costs(const double *cpu, const double *wall, long count) {
  print_numbers("cpuUs", cpu, count);
  printf(",");
  print_numbers("wallUs", wall, count);
}

int main(int argc, char **argv) {
  if (argc != 4 || atol(argv[3]) < 1) {
    fprintf(stderr, "usage: libbpf-objects VMLINUX FOLDER COUNT\n");
    return 2;
  }
  long count = atol(argv[3]);
  struct dirent **entries;
  int length = scandir(argv[2], &entries, is_shown, alphasort);
  if (length < 0) fail(argv[2]);
  struct object *objects = checked(calloc(length, sizeof(struct object)), "calloc");
  kernel = checked(btf__parse(argv[1], NULL), argv[1]);
  libbpf_set_print(count_resolved);
  for (int i = 0; i < length; i++) {
    objects[i].name = entries[i]->d_name;
    objects[i].cpu_us = checked(calloc(count, sizeof(double)), "calloc");
    objects[i].wall_us = checked(calloc(count, sizeof(double)), "calloc");
    read_object(&objects[i], argv[2]);
    last_index = -1;
    bpf_object__close(relocate(&objects[i]));
  }
  libbpf_set_print(NULL);
  double *all_cpu = checked(calloc(count, sizeof(double)), "calloc");
  double *all_wall = checked(calloc(count, sizeof(double)), "calloc");
  for (long repetition = 0; repetition < count; repetition++) {
    double all_cpu_before = cpu_us(), all_wall_before = wall_us();
    for (int i = 0; i < length; i++) objects[i].opened = relocate(&objects[i]);
    all_wall[repetition] = wall_us() - all_wall_before;
    all_cpu[repetition] = cpu_us() - all_cpu_before;
    for (int i = 0; i < length; i++) bpf_object__close(objects[i].opened);
    for (int i = 0; i < length; i++) {
      double cpu_before = cpu_us(), wall_before = wall_us();
      struct bpf_object *opened = relocate(&objects[i]);
      objects[i].wall_us[repetition] = wall_us() - wall_before;
      objects[i].cpu_us[repetition] = cpu_us() - cpu_before;
      bpf_object__close(opened);
    }
  }
  printf("{\"together\":{");
  print_costs(all_cpu, all_wall, count);
  printf("},\"objects\":[");
  for (int i = 0; i < length; i++) {
    printf("%s{\"name\":\"%s\",", i == 0 ? "" : ",", objects[i].name);
    print_costs(objects[i].cpu_us, objects[i].wall_us, count);
    printf("}");
  }
  printf("],\"result\":\"%ld\"}\n", resolved);
  return 0;
}
