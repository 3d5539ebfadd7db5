// Objects that libbpf refuses for something that every kernel has or lacks, and a callback for exceptions.
#include "../../object/testdata/bpf.h"

#ifdef CALL
// A function in the section of a program.
SEC("socket") __attribute__((noinline)) int called(void *context) { return *(volatile int *)context; }

SEC("tc") int caller(void *context) { return called(context); }
#endif

#ifdef EXTERN
// A function of another object.
extern int elsewhere(void *context);

SEC("socket") int caller(void *context) { return elsewhere(context); }
#endif

#ifdef UNUSED
// A program of no struct of functions.
SEC("struct_ops/unused") int unused(unsigned long long *context) { return 0; }
#endif

#ifdef MAP
// A map that other objects cannot see.
static struct {
  int (*type)[2];
  int (*key_size)[4];
  int (*value_size)[4];
  int (*max_entries)[1];
} hidden SEC(".maps");

SEC("socket") int reader(void *context) { return (long)&hidden != 0; }
#endif

#ifdef EXCEPTION
// A function that only the verifier calls, with a member that no kernel has.
struct task_struct___gone {
  int no_such_member;
} __attribute__((preserve_access_index));

extern void bpf_throw(unsigned long long cookie) __attribute__((section(".ksyms")));

__attribute__((noinline)) int handler(unsigned long long cookie)
{
  return cookie + __builtin_preserve_field_info(((struct task_struct___gone *)0)->no_such_member, 0);
}

SEC("tc") __attribute__((btf_decl_tag("exception_callback:handler"))) int thrower(void *context)
{
  bpf_throw(1);
  return 0;
}
#endif

char _license[] SEC("license") = "GPL";
