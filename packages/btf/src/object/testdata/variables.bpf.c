// Kernel symbols of which none is a function: they need no dummy variable.
#include "bpf.h"

extern const void schedule __ksym;
extern const void bpf_absent __ksym __weak;

SEC("socket") int program(void *context) { return &schedule == &bpf_absent; }

char _license[] SEC("license") = "GPL";
