// agent.bpf.o and agent-eb.bpf.o are built from this file with clang 14:
// clang -g -O2 -mcpu=v3 -fdebug-compilation-dir=. -target bpf -c agent.bpf.c, for the other with -target bpfeb;
// llvm-strip -g FILE
#define SEC(name) __attribute__((section(name), used))
#define __kconfig __attribute__((section(".kconfig")))

typedef _Bool bool;

struct task_struct {
  int pid;
  int tgid;
  int gone;
} __attribute__((preserve_access_index));

struct module_only {
  int value;
} __attribute__((preserve_access_index));

enum mode { MODE_SLOW, MODE_FAST = 3 };

extern int LINUX_KERNEL_VERSION __kconfig;

const volatile bool use_gone = 0;
const volatile short level = 0;
const volatile unsigned long long limit = 0;
const volatile enum mode mode = MODE_SLOW;
const volatile char name[4] = "";

#define READ(type, member) (*(volatile int *)&((struct type *)context[0])->member)

/* The members have other offsets in the kernel. */
SEC("tp_btf/task_newtask") int moved(unsigned long long *context) { return READ(task_struct, tgid); }

SEC("tp_btf/task_newtask") int asks(unsigned long long *context) {
  return __builtin_preserve_field_info(((struct task_struct *)context[0])->gone, 2) ? READ(task_struct, gone) : 0;
}

SEC("tp_btf/task_newtask") int by_setting(unsigned long long *context) { return use_gone ? READ(task_struct, gone) : 0; }

SEC("tp_btf/task_newtask") int by_version(unsigned long long *context) {
  return LINUX_KERNEL_VERSION < (6 << 16) ? READ(task_struct, gone) : 0;
}

SEC("?tp_btf/task_newtask") int by_limit(unsigned long long *context) {
  return limit == 5 && level == -1 && mode == MODE_FAST && name[0] == 'x' ? READ(task_struct, gone) : 0;
}

SEC("?tp_btf/task_newtask") int always(unsigned long long *context) { return READ(task_struct, gone); }

SEC("?tp_btf/task_newtask") int of_module(unsigned long long *context) { return READ(module_only, value); }

SEC("?fentry/task_newtsk") int attached(unsigned long long *context) { return 0; }

SEC("?kprobe/do_exit") int probe(void *context) { return 0; }

char _license[] SEC("license") = "GPL";
