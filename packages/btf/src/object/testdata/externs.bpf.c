// Externs of every kind, beside data of every kind.
#include "bpf.h"

struct task_struct {
  int pid;
} __attribute__((preserve_access_index));
struct rq {
  unsigned int nr_running;
};

extern struct task_struct *bpf_task_from_pid(int pid) __ksym;
extern void bpf_task_release(struct task_struct *) __ksym;
extern int bpf_absent_kfunc(int, const void *named) __ksym __weak;
extern const int bpf_prog_active __ksym __weak;
extern struct rq runqueues __ksym;
extern const void schedule __ksym;
extern const void bpf_absent __ksym __weak;

extern int LINUX_KERNEL_VERSION __kconfig;
extern bool CONFIG_BPF_SYSCALL __kconfig __weak;
extern enum libbpf_tristate CONFIG_ABSENT __kconfig __weak;
extern unsigned long CONFIG_HZ __kconfig __weak;
extern char CONFIG_CC_VERSION_TEXT[17] __kconfig __weak;
extern unsigned short CONFIG_B __kconfig __weak;
extern unsigned short CONFIG_A __kconfig __weak;

struct {
  __uint(type, 2);
  __uint(max_entries, 1);
  __type(key, int);
  __type(value, long);
} values SEC(".maps");

long zeroed;
static char small;
static long counted;
int hidden_zeroed __hidden;
int filled = 7;
int filled_too __hidden = 9;
const volatile int read_only = 5;
int own SEC(".data.own") = 1;

__attribute__((noinline)) int global_sum(int a, int b) { return a + b + zeroed; }
__hidden __attribute__((noinline)) int hidden_sum(int a, int b) { return a - b + counted; }

SEC("raw_tp/sys_enter") int program(void *context) {
  struct task_struct *task = bpf_task_from_pid(read_only);
  long sum = 0;
  if (task) {
    sum += task->pid;
    bpf_task_release(task);
  }
  if (bpf_absent_kfunc) sum += bpf_absent_kfunc(1, context);
  if (&bpf_absent) sum += 1;
  sum += (long)&schedule + (long)&runqueues + (long)&bpf_prog_active + (long)&values;
  sum += LINUX_KERNEL_VERSION + CONFIG_BPF_SYSCALL + CONFIG_ABSENT + CONFIG_HZ + CONFIG_CC_VERSION_TEXT[1];
  sum += CONFIG_A + CONFIG_B;
  zeroed += global_sum(filled, own) + hidden_sum(filled_too, hidden_zeroed);
  small += 1;
  counted += zeroed + small;
  return sum & 1;
}

char _license[] SEC("license") = "GPL";
