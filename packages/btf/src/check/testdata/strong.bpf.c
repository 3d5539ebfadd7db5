// An extern that the kernel lacks, or has with another type: a loader refuses the whole object.
#include "../../object/testdata/bpf.h"

#if defined(KFUNC)
extern int bpf_absent_kfunc(int value) __ksym;
#elif defined(PROTOTYPE)
extern int bpf_cpumask_create(int value) __ksym;
#elif defined(VARIABLE)
extern const int bpf_absent_variable __ksym;
#else
/* In the kernel it is an int. */
struct other {
  int member;
};
extern const struct other bpf_prog_active __ksym __weak;
#endif

/* So that the compiler does not take it for known. */
static inline long hide(long value) {
  asm volatile("" : "+r"(value));
  return value;
}

SEC("raw_tp/sys_enter") int program(void *context) {
#if defined(KFUNC)
  return bpf_absent_kfunc(1);
#elif defined(PROTOTYPE)
  return bpf_cpumask_create(1);
#elif defined(VARIABLE)
  return hide((long)&bpf_absent_variable) != 0;
#else
  return hide((long)&bpf_prog_active) != 0;
#endif
}

SEC("socket") int other(void *context) { return 0; }

char _license[] SEC("license") = "GPL";
