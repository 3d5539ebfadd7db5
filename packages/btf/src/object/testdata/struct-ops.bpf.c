// Sections that libbpf does not load by default have names that begin with "?".
#include "bpf.h"

struct tcp_congestion_ops {
  unsigned int (*ssthresh)(void *sk);
  char name[16];
} __attribute__((preserve_access_index));

SEC("?struct_ops/ssthresh") unsigned int ssthresh(unsigned long long *context) { return 2; }

SEC("?.struct_ops") struct tcp_congestion_ops optional = {.ssthresh = (void *)ssthresh, .name = "optional"};
SEC("?.struct_ops.link") struct tcp_congestion_ops linked = {.ssthresh = (void *)ssthresh, .name = "linked"};

char _license[] SEC("license") = "GPL";
