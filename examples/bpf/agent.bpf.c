// Programs of an agent, whose types are those of a kernel before Linux 6.6. agent.bpf.o is built from this file with:
//
//     clang -g -O2 -mcpu=v3 -fdebug-compilation-dir=. -target bpf -c agent.bpf.c && llvm-strip -g agent.bpf.o     (clang 14)
#define SEC(name) __attribute__((section(name), used))
#define CORE __attribute__((preserve_access_index))
#define EXISTS(member) __builtin_preserve_field_info(member, 2)

struct timespec64 {
  long long tv_sec;
} CORE;

struct inode {
  struct timespec64 i_ctime;
} CORE;

struct file {
  struct inode *f_inode;
} CORE;

struct task_struct {
  unsigned int __state;
} CORE;

// Linux 5.14 renamed the member.
struct task_struct___old {
  long state;
} CORE;

long last_change, last_state;
char LICENSE[] SEC("license") = "GPL";

// Reads a member that Linux 6.6 renamed.
SEC("fentry/vfs_fsync") int on_sync(unsigned long long *ctx) {
  struct file *file = (void *)ctx[0];
  last_change = file->f_inode->i_ctime.tv_sec;
  return 0;
}

// Reads whichever member the kernel has.
SEC("tp_btf/sched_switch") int on_switch(unsigned long long *ctx) {
  struct task_struct *task = (void *)ctx[1];
  if (EXISTS(task->__state))
    last_state = task->__state;
  else
    last_state = ((struct task_struct___old *)task)->state;
  return 0;
}
