#include "bpf.h"

extern void bpf_rcu_read_unlock(void) __ksym;
extern bool CONFIG_BPF_SYSCALL __kconfig __weak;

int shared = 4;
long rest_count;
int hidden_count __hidden = 5;

int sum(int a, int b) {
  rest_count += CONFIG_BPF_SYSCALL + hidden_count;
  bpf_rcu_read_unlock();
  return a + b;
}

char _license[] SEC("license") = "GPL";
