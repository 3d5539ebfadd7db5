// Repeats a row of libbpf in one process, and prints one line of JSON:
//
//     libbpf-driver ROW FILE COUNT
//
// FILE is raw BTF. The output is {"cpuUs":[…],"wallUs":[…],"result":"…"}, with one number for each repetition. Memory
// is freed outside of the measured time. An unknown row ends with exit status 3.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clocks.h"

// A repetition prepares outside of the measured time, runs within it, and releases outside of it. `run` returns the
// result of the row.
struct row {
  const char *name;
  void (*prepare)(void);
  long (*run)(void);
  void (*release)(void);
};

static const char *path;
static void *bytes;
static __u32 size;
// The parsed file, of which rows read.
static struct btf *source;
// The BTF that a repetition makes.
static struct btf *made;
static char *text;
static size_t text_len, text_room;

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static void *checked(void *pointer, const char *what) {
  if (pointer == NULL) fail(what);
  return pointer;
}

static void read_file(void) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat stat;
  if (fd < 0 || fstat(fd, &stat) < 0) fail(path);
  size = stat.st_size;
  bytes = checked(malloc(size), "malloc");
  for (__u32 at = 0; at < size;) {
    ssize_t got = read(fd, (char *)bytes + at, size - at);
    if (got <= 0) fail(path);
    at += got;
  }
  close(fd);
}

static void parse_source(void) {
  if (source == NULL) source = checked(btf__new(bytes, size), "btf__new");
}

static void free_made(void) {
  btf__free(made);
  made = NULL;
}

static void append(struct btf *target) {
  if (btf__add_btf(target, source) < 0) fail("btf__add_btf");
}

static long run_index(void) {
  made = checked(btf__new(bytes, size), "btf__new");
  return btf__type_cnt(made) - 1;
}

static long run_first_name(void) {
  made = checked(btf__parse_raw(path), "btf__parse_raw");
  int id = btf__find_by_name_kind(made, "task_struct", BTF_KIND_STRUCT);
  if (id < 0) fail("btf__find_by_name_kind");
  return id;
}

static long run_rebuild(void) {
  __u32 length;
  made = checked(btf__new_empty(), "btf__new_empty");
  append(made);
  checked((void *)btf__raw_data(made, &length), "btf__raw_data");
  return length;
}

// libbpf deduplicates in place, so each repetition needs a new copy.
static void prepare_dedup(void) {
  parse_source();
  made = checked(btf__new_empty(), "btf__new_empty");
  append(made);
  append(made);
}

static long run_dedup(void) {
  __u32 length;
  if (btf__dedup(made, NULL) < 0) fail("btf__dedup");
  checked((void *)btf__raw_data(made, &length), "btf__raw_data");
  return btf__type_cnt(made) - 1;
}

static void print_to_memory(void *context, const char *format, va_list args) {
  (void)context;
  va_list again;
  va_copy(again, args);
  size_t length = vsnprintf(text + text_len, text_room - text_len, format, args);
  if (text_len + length >= text_room) {
    text_room = 2 * (text_len + length) + 4096;
    text = checked(realloc(text, text_room), "realloc");
    vsnprintf(text + text_len, text_room - text_len, format, again);
  }
  text_len += length;
  va_end(again);
}

static long run_header(void) {
  struct btf_dump *dump = checked(btf_dump__new(source, print_to_memory, NULL, NULL), "btf_dump__new");
  for (__u32 id = 1; id < btf__type_cnt(source); id++) {
    if (btf_dump__dump_type(dump, id) < 0) fail("btf_dump__dump_type");
  }
  btf_dump__free(dump);
  return text_len;
}

static void free_text(void) {
  free(text);
  text = NULL;
  text_len = text_room = 0;
}

static long run_load_close(void) {
  static long loads;
  int fd = bpf_btf_load(bytes, size, NULL);
  if (fd < 0) fail("bpf_btf_load");
  close(fd);
  return ++loads;
}

static void nothing(void) {}

// Not `names`: libbpf searches the types one after the other unless the BTF is sorted.
static const struct row rows[] = {
    {"index", nothing, run_index, free_made},
    {"first-name", nothing, run_first_name, free_made},
    {"rebuild", parse_source, run_rebuild, free_made},
    {"dedup", prepare_dedup, run_dedup, free_made},
    {"header", parse_source, run_header, free_text},
    {"load-close", nothing, run_load_close, nothing},
};

static const struct row *row_named(const char *name) {
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if (strcmp(rows[i].name, name) == 0) return &rows[i];
  }
  fprintf(stderr, "unknown row %s: use one of", name);
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) fprintf(stderr, " %s", rows[i].name);
  fprintf(stderr, "\n");
  exit(3);
}

static void print_numbers(const char *name, const double *numbers, long count) {
  printf("\"%s\":[", name);
  for (long i = 0; i < count; i++) printf("%s%.1f", i == 0 ? "" : ",", numbers[i]);
  printf("]");
}

int main(int argc, char **argv) {
  if (argc != 4 || atol(argv[3]) < 1) {
    fprintf(stderr, "usage: libbpf-driver ROW FILE COUNT\n");
    return 2;
  }
  const struct row *row = row_named(argv[1]);
  path = argv[2];
  long count = atol(argv[3]), result = 0;
  double *cpu = checked(calloc(count, sizeof(double)), "calloc");
  double *wall = checked(calloc(count, sizeof(double)), "calloc");
  read_file();
  for (long i = 0; i < count; i++) {
    row->prepare();
    double cpu_before = cpu_us(), wall_before = wall_us();
    result = row->run();
    wall[i] = wall_us() - wall_before;
    cpu[i] = cpu_us() - cpu_before;
    row->release();
  }
  printf("{");
  print_numbers("cpuUs", cpu, count);
  printf(",");
  print_numbers("wallUs", wall, count);
  printf(",\"result\":\"%ld\"}\n", result);
  return 0;
}
