// A kernel function, and no integer of 32 bits that its dummy variable could have as its type.
#include "bpf.h"

extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;

SEC("raw_tp/sys_enter") long program(void *context) {
  bpf_rcu_read_lock();
  bpf_rcu_read_unlock();
  return 0;
}
