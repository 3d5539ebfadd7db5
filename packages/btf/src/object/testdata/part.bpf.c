// One part of an object, whose other part is rest.bpf.c.
#include "bpf.h"

extern int sum(int a, int b);
extern int shared;
extern void bpf_rcu_read_lock(void) __ksym;
extern int LINUX_KERNEL_VERSION __kconfig;

int part_count = 3;
static int part_only;

SEC("socket") int part(void *context) {
  bpf_rcu_read_lock();
  part_only += LINUX_KERNEL_VERSION;
  return sum(shared, part_count) + part_only;
}

char _license[] SEC("license") = "GPL";
