/*
 * Writes the BTF of a BPF object as libbpf prepares it: open-object open|load OBJECT OUT
 *
 * open: as libbpf has it after opening the object. load: as the kernel got it, even if it rejected a program.
 * Declares what it uses of libbpf, so that the development files need not be installed.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BPF_OBJ_GET_INFO_BY_FD 15

struct bpf_object;
struct btf;
struct bpf_object *bpf_object__open_file(const char *path, const void *opts);
int bpf_object__load(struct bpf_object *object);
struct btf *bpf_object__btf(const struct bpf_object *object);
int btf__fd(const struct btf *btf);
const void *btf__raw_data(const struct btf *btf, unsigned int *size);
long libbpf_get_error(const void *pointer);

static char loaded[16 << 20];

/* Returns the size of the BTF in the kernel; 0 if libbpf did not load it. */
static unsigned int read_loaded(int fd)
{
  struct {
    uint64_t btf;
    uint32_t size, id;
    uint64_t name;
    uint32_t name_length, kernel;
  } info = {.btf = (uintptr_t)loaded, .size = sizeof(loaded)};
  struct {
    uint32_t fd, length;
    uint64_t info;
  } call = {fd, sizeof(info), (uintptr_t)&info};
  return fd < 0 || syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &call, sizeof(call)) ? 0 : info.size;
}

int main(int argc, char **argv)
{
  struct bpf_object *object = argc == 4 ? bpf_object__open_file(argv[2], NULL) : NULL;
  if (!object || libbpf_get_error(object))
    return 1;
  struct btf *btf = bpf_object__btf(object);
  const void *data = loaded;
  unsigned int size;
  if (strcmp(argv[1], "load") == 0) {
    bpf_object__load(object);
    size = read_loaded(btf__fd(btf));
  } else {
    data = btf__raw_data(btf, &size);
  }
  FILE *out = size > 0 ? fopen(argv[3], "wb") : NULL;
  return !out || fwrite(data, 1, size, out) != size || fclose(out) != 0;
}
