// Programs that each need one thing of the kernel, which Linux 6.18 has or lacks. Nothing strong is missing.
#include "../../object/testdata/bpf.h"

#define NEVER 1000000

struct task_struct {
  int pid;
  int no_such_member;
} __attribute__((preserve_access_index));

enum bpf_func_id { BPF_FUNC_no_such_helper = 999 };

extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern int bpf_absent_kfunc(int value) __ksym __weak;
/* In the kernel it takes nothing. */
extern int bpf_cpumask_create(int value) __ksym __weak;
/* A function, but no kfunc. */
extern unsigned long long nr_context_switches(void) __ksym __weak;
extern const int bpf_absent_variable __ksym __weak;
extern const void bpf_absent_symbol __ksym __weak;
extern int LINUX_KERNEL_VERSION __kconfig;

const volatile int use_gone = 0;
static const volatile int limit = 5;

struct {
  __uint(type, 2);
  __uint(max_entries, 1);
  __type(key, int);
  __type(value, long);
} array SEC(".maps");

#define PROGRAM(name) SEC("tp_btf/task_newtask") int name(unsigned long long *context)
#define GONE(task) (*(volatile int *)&((struct task_struct *)task)->no_such_member)

PROGRAM(kfunc) {
  bpf_rcu_read_lock();
  bpf_rcu_read_unlock();
  return 0;
}

PROGRAM(absent_kfunc) { return bpf_absent_kfunc(1); }

PROGRAM(guarded_kfunc) { return bpf_absent_kfunc ? bpf_absent_kfunc(1) : 0; }

PROGRAM(other_prototype) { return bpf_cpumask_create ? bpf_cpumask_create(1) : 0; }

PROGRAM(not_a_kfunc) { return nr_context_switches() != 0; }

PROGRAM(asked_for) { return nr_context_switches != 0; }

PROGRAM(absent_variable) { return &bpf_absent_variable ? GONE(context[0]) : 0; }

PROGRAM(absent_symbol) { return &bpf_absent_symbol != 0; }

PROGRAM(old_kernels) { return LINUX_KERNEL_VERSION < (5 << 16) ? GONE(context[0]) : 0; }

PROGRAM(new_kernels) { return LINUX_KERNEL_VERSION >= (5 << 16) ? GONE(context[0]) : 0; }

PROGRAM(as_initialized) { return use_gone ? GONE(context[0]) : 0; }

PROGRAM(fixed) { return limit > 5 ? GONE(context[0]) : 0; }

PROGRAM(maybe) { return context[1] == NEVER ? GONE(context[0]) : 0; }

PROGRAM(always) { return GONE(context[0]); }

PROGRAM(exists) { return __builtin_preserve_field_info(((struct task_struct *)context[0])->no_such_member, 2); }

PROGRAM(guarded_member) {
  if (__builtin_preserve_field_info(((struct task_struct *)context[0])->no_such_member, 2)) return GONE(context[0]);
  return 0;
}

PROGRAM(helper) { return ((int (*)(void))999)(); }

PROGRAM(guarded_helper) {
  if (__builtin_preserve_enum_value(*(enum bpf_func_id *)BPF_FUNC_no_such_helper, 0)) return ((int (*)(void))999)();
  return 0;
}

PROGRAM(arguments) { return context[1] + context[0] != 0; }

PROGRAM(no_such_argument) { return context[2] != 0; }

static __attribute__((noinline)) int gone(void *task) { return GONE(task); }

PROGRAM(subprogram) { return gone((void *)context[0]); }

PROGRAM(guarded_subprogram) {
  if (__builtin_preserve_field_info(((struct task_struct *)context[0])->no_such_member, 2)) return gone((void *)context[0]);
  return 0;
}

SEC("tp_btf/no_such_tracepoint") int no_tracepoint(unsigned long long *context) { return 0; }

SEC("fentry/no_such_function") int no_function(unsigned long long *context) { return 0; }

SEC("fentry") int no_target(unsigned long long *context) { return 0; }

SEC("lsm/no_such_hook") int no_hook(unsigned long long *context) { return 0; }

SEC("iter/no_such_iterator") int no_iterator(unsigned long long *context) { return 0; }

SEC("iter/task") int iterator(unsigned long long *context) { return 0; }

SEC("kprobe/no_such_function") int probe(void *context) { return 0; }

SEC("no_such_section") int unknown_section(void *context) { return 0; }

SEC("?tc") int left_out(void *context) { return 0; }

char _license[] SEC("license") = "GPL";
